//! Groups of attack names that the paper runs together.

/// Names of the groups, with what they are for.
pub const GROUPS: [(&str, &str); 6] = [
    ("cifar10_benchmark", "every measure of the paper on one model: the next three groups"),
    ("cifar10_input_linf_benchmark", "robust loss and error, test and training images"),
    ("cifar10_weight_l2_benchmark", "clean flatness, average and worst case"),
    ("cifar10_weight_input_l2_linf_benchmark", "robust flatness, average and worst case"),
    ("cifar10_epochs_benchmark", "what is followed over the epochs of a training"),
    ("cifar10_early_stopping_benchmark", "what early stopping chooses by"),
];

const PGD: &str = "input_linf_gd_normalized_lr0007_mom0_i20_e00314_at10";
const AUTO_ATTACK: &str = "input_linf_aa_standard_e00314";

/// The attack names of a group, in the paper's order.
pub fn group(name: &str) -> Option<Vec<String>> {
    let names = match name {
        "cifar10_benchmark" => [input(), weights(), robust()].concat(),
        "cifar10_input_linf_benchmark" => input(),
        "cifar10_weight_l2_benchmark" => weights(),
        "cifar10_weight_input_l2_linf_benchmark" => robust(),
        "cifar10_epochs_benchmark" => {
            vec![PGD.into(), format!("{PGD}_train"), sequential("05"), joint("000075")]
        }
        "cifar10_early_stopping_benchmark" => {
            vec!["input_linf_gd_normalized_lr0007_mom0_i7_e00314_at5_es".into()]
        }
        _ => return None,
    };
    Some(names)
}

const GRADIENT_RADII: [&str; 6] = ["000075", "0001", "0002", "0003", "0004", "0005"];

fn input() -> Vec<String> {
    vec![AUTO_ATTACK.into(), PGD.into(), format!("{AUTO_ATTACK}_train"), format!("{PGD}_train")]
}

fn weights() -> Vec<String> {
    let random = |e| format!("weight_l2_random_nonorm2_e{e}_at50_test");
    let gradient = |e| format!("weight_l2_gd_nonorm2_lwrl2normalized_i20_lr001_mom0_e{e}_at10_test_test");
    let random = ["01", "025", "05", "075", "1"].map(random);
    random.into_iter().chain(GRADIENT_RADII.map(gradient)).collect()
}

fn robust() -> Vec<String> {
    let average = ["01", "02", "025", "03", "04", "05", "075", "1"].map(sequential);
    average.into_iter().chain(GRADIENT_RADII.map(joint)).collect()
}

fn sequential(radius: &str) -> String {
    format!(
        "sequential2_weight_input_l2_random_nonorm2_e{radius}_linf_gd_normalized_lr0007_e00314_i20_at10_test"
    )
}

fn joint(radius: &str) -> String {
    format!(
        "joint_weight_input_l2_gd_nonorm2_lwrl2normalized_lr001_e{radius}_linf_gd_normalized_lr0007_e00314_i20_at10_test"
    )
}
