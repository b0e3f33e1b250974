//! The fields of the forms: what each is called, and what it is in a sentence.

/// A place in a form that can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Number of the first direction's draw.
    Draw,
    /// Number of the second direction's draw.
    SecondDraw,
    /// The paper's normalization token.
    Token,
    /// Relative size of step 1.
    Radius,
    /// Largest step.
    Range,
    /// Grid points per axis.
    Steps,
    /// Relative sizes of the perturbations that flatness is measured for.
    Radii,
    /// Perturbations per radius.
    Draws,
    /// Standard error to reach.
    Until,
    /// Names of the tensors that are perturbed.
    Tensors,
    /// Starts of the attack on the unperturbed network.
    ReferenceRestarts,
    /// Random perturbations of which the worst is a draw.
    WorstOf,
    /// Loss beyond which the search for the worst weights takes no more steps.
    LossBound,
    /// Passes of the search for the worst weights.
    Epochs,
    /// Relative change of the weights per update of that search.
    WeightStep,
    /// Attacks of a list of one's own.
    Attacks,
    /// A name of the paper, which stands for all settings of a form.
    Name,
    /// Names of the paper in a benchmark of one's own.
    Names,
    /// Updates of AutoAttack's attacks.
    EnsembleSteps,
    /// Starts of AutoAttack's attacks.
    EnsembleRestarts,
    /// Target classes of AutoAttack's targeted attacks.
    Targets,
    /// Queries of Square.
    Queries,
    /// Passes that APGD averages a gradient over.
    Eot,
    /// APGD's share of rising steps.
    Rho,
    /// APGD's first step size, divided by epsilon.
    Alpha,
    /// FAB's relative length of a step.
    Eta,
    /// Where FAB resumes after success.
    Beta,
    /// FAB's largest weight of the step that starts at the image.
    AlphaMax,
    /// Share of the image of Square's first squares.
    PInit,
    /// Data set.
    Data,
    /// Images.
    Examples,
    /// Radius of the attack.
    Epsilon,
    /// Updates of the attack.
    AttackSteps,
    /// Step size of the attack.
    StepSize,
    /// Starts of the attack.
    Restarts,
    /// Further attacks of an evaluation.
    MoreAttacks,
    /// Adversarial examples of an earlier record.
    Stored,
    /// Seed.
    Seed,
    /// Images at a time.
    BatchSize,
}

impl Field {
    /// What an empty field says.
    pub fn hint(self) -> &'static str {
        match self {
            Self::BatchSize => "automatic",
            Self::ReferenceRestarts => "as perturbed networks",
            Self::LossBound => "none",
            Self::Until => "none",
            Self::Name => "none",
            Self::Names => "weight_l2_random_…",
            Self::MoreAttacks => "objective=dlr; restarts=5",
            Self::Stored => "attack.json",
            Self::EnsembleSteps | Self::EnsembleRestarts | Self::Targets | Self::Queries => {
                "as the version says"
            }
            Self::Eot | Self::Rho | Self::Alpha | Self::Eta | Self::Beta | Self::AlphaMax | Self::PInit => {
                "as published"
            }
            _ => "",
        }
    }

    /// Its label, and what it is in a sentence.
    pub fn label_and_tooltip(self) -> (&'static str, &'static str) {
        match self {
            Self::Draw => {
                ("Random draw", "Number of the random direction; another number, another direction")
            }
            Self::SecondDraw => ("Second draw", "Number of the random direction along y"),
            Self::Token => (
                "Token",
                "A normalization of the paper's program, such as layer_l2_05, with the paper's meaning",
            ),
            Self::Radius => ("Radius", "Relative L2 norm of the weight change at step 1"),
            Self::Range => ("Range", "Steps run from minus this to plus this"),
            Self::Steps => {
                ("Steps", "Grid points per axis; odd, so that the checkpoint itself is one of them")
            }
            Self::Radii => (
                "Radii",
                "Relative L2 norms of the weight change, separated by commas; the paper uses 0.5 on average and 0.003 in the worst case",
            ),
            Self::Draws => ("Draws", "Perturbations per radius; every model gets the same ones"),
            Self::Until => (
                "Standard error",
                "Draw until the standard error of flatness is at most this at every radius; Draws is then the most. Empty: as many draws as asked for",
            ),
            Self::Tensors => (
                "Names",
                "Tensors as the Model tab lists them, separated by commas; * stands for any characters",
            ),
            Self::ReferenceRestarts => (
                "Ref. restarts",
                "Starts of the attack on the unperturbed network, the worst per image counts; empty: all networks are attacked equally. The paper uses 10 against 1",
            ),
            Self::WorstOf => (
                "Worst of",
                "Each draw is the worst, by its clean loss, of so many random perturbations; the paper's is 1, which looks at no image",
            ),
            Self::LossBound => (
                "Loss bound",
                "No more steps on the weights where the loss of a batch is beyond this; empty: none",
            ),
            Self::Epochs => ("Epochs", "Passes of the search for the worst weights; the paper uses 20"),
            Self::WeightStep => ("Weight step", "Relative change of the weights per update of that search"),
            Self::Attacks => (
                "Attacks",
                "In their order: apgd-ce, apgd-dlr, apgd-t, fab, fab-t, square; separated by commas",
            ),
            Self::Name => (
                "Paper's name",
                "A name of the paper's program, such as input_linf_gd_normalized_lr0007_mom0_i20_e00314_at10: it stands for all settings of this form. Empty: settings of your own",
            ),
            Self::Names => {
                ("Names", "Attack names of the paper and names of its groups, separated by commas")
            }
            Self::EnsembleSteps => ("Iterations", "Updates of APGD and FAB; empty: as the version says"),
            Self::EnsembleRestarts => {
                ("Restarts", "Independent starts of every attack; empty: as the version says")
            }
            Self::Targets => (
                "Targets",
                "Target classes of APGD-T and FAB-T, the most likely first; empty: 9, or as many as there are",
            ),
            Self::Queries => ("Queries", "Queries of Square; empty: 5000"),
            Self::Eot => (
                "EOT passes",
                "APGD averages each gradient over this many passes, for networks that answer randomly; empty: 1, version rand 20",
            ),
            Self::Rho => (
                "APGD rho",
                "A step size is kept if more than this share of its steps raised the loss; empty: 0.75 (not in L1)",
            ),
            Self::Alpha => ("APGD alpha", "First step size divided by epsilon; empty: 2, in L1 1"),
            Self::Eta => {
                ("FAB eta", "Length of a step relative to the distance of the boundary; empty: 1.05")
            }
            Self::Beta => {
                ("FAB beta", "Resume at this share of the way from the image to the point found; empty: 0.9")
            }
            Self::AlphaMax => {
                ("FAB alpha max", "Largest weight of the step that starts at the image; empty: 0.1")
            }
            Self::PInit => ("Square p init", "Share of the image that the first squares cover; empty: 0.8"),
            Self::Data => ("Data set", "Where the images come from"),
            Self::Examples => {
                ("Examples", "Split and index range, such as test:0..100; the end is not included")
            }
            Self::Epsilon => (
                "Epsilon",
                "Largest change, in pixel values from 0 to 1; fractions such as 8/255 are accepted",
            ),
            Self::AttackSteps => ("Iterations", "Updates of the attack"),
            Self::StepSize => ("Step size", "Change per update; fractions are accepted"),
            Self::Restarts => ("Restarts", "Independent starts; the worst per image counts"),
            Self::MoreAttacks => (
                "Also",
                "Further attacks, separated by semicolons: each is PGD as above but for what it says, such as objective=dlr,restarts=5 (names as on the command line). The worst of all counts",
            ),
            Self::Stored => (
                "Record or file",
                "A record that kept its adversarial examples, or their file: this network is tested on the attack of another (transfer)",
            ),
            Self::Seed => ("Seed", "Of every random number of the job"),
            Self::BatchSize => ("Batch size", "Images at a time; empty: chosen for the device"),
        }
    }
}
