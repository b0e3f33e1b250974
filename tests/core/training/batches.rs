//! Which examples are in which batch.

use std::collections::BTreeSet;

use basin_core::data::{self, Augmentation};
use basin_core::model::{Architecture, Family, LeNet, Mlp, Mode, Network, Norm, ResNet, logits};
use basin_core::train::{Method, Order, Source, Train, TrainData};
use tch::{Device, Kind, Tensor};

use crate::support::max_abs_difference;

#[test]
fn every_epoch_shows_every_image_once_in_an_order_of_its_own() {
    let mut order = Order::new(3, 50, 16, None, None);
    assert_eq!(order.steps_per_epoch(), 4);
    let mut epoch = |epoch: u64| -> Vec<i64> {
        (4 * epoch..4 * epoch + 4).flat_map(|n| order.batch(n)).map(|pick| pick.index).collect()
    };
    let (first, second) = (epoch(0), epoch(1));
    for shown in [&first, &second] {
        assert_eq!(shown.iter().copied().collect::<BTreeSet<_>>(), (0..50).collect());
        assert_eq!(shown.len(), 50);
    }
    assert_ne!(first, second);
    // Any batch can be asked for at any time.
    assert_eq!(Order::new(3, 50, 16, None, None).batch(5), order.batch(5));
}

#[test]
fn drawn_examples_fill_every_batch() {
    let (labelled, drawn) = (100, 30);
    let mut order = Order::new(0, labelled, 10, Some((7, drawn)), None);
    assert_eq!(order.steps_per_epoch(), 10, "drawn images do not lengthen an epoch");
    let mut keys = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for number in 0..10 {
        let batch = order.batch(number);
        assert_eq!((batch.len(), batch.iter().filter(|pick| pick.drawn).count()), (10, 7));
        assert!(batch.iter().all(|pick| pick.index < if pick.drawn { 30 } else { 100 }));
        keys.extend(batch.iter().map(|pick| pick.key));
        seen.extend(batch.iter().filter(|pick| !pick.drawn).map(|pick| pick.index));
    }
    assert_eq!((keys.len(), seen.len()), (100, 30), "every pick is told apart; labelled ones come once");
    // With more steps than a pass has, the labelled images begin again, with other keys.
    let mut order = Order::new(0, 8, 4, None, Some(5));
    let keys: BTreeSet<u64> = (0..5).flat_map(|n| order.batch(n)).map(|pick| pick.key).collect();
    assert_eq!(keys.len(), 20);
}

/// As in the paper's program also where AutoAugment is asked for: with rotations there is none.
#[test]
fn turned_images_are_turned_by_their_labels() {
    for augmentation in [Augmentation::None, Augmentation::AutoAugment] {
        turned_by_labels(augmentation);
    }
}

fn turned_by_labels(augmentation: Augmentation) {
    let job = Train {
        method: Method::Rotation { weight: 1.0, fraction: 0.5 },
        batch_size: 20,
        data: TrainData { augmentation, ..TrainData::bundled() },
        ..Train::default()
    };
    let dataset = data::load("bundled", &"train:0..40".parse().unwrap()).unwrap();
    let mut source = Source::new(&job, &dataset, None, Device::Cpu).unwrap();
    let mut turns_seen = BTreeSet::new();
    for number in 0..2 {
        let batch = source.batch(number);
        let supervised = batch.supervised.unwrap();
        assert_eq!(supervised.iter().filter(|s| **s).count(), 10);
        for (position, supervised) in supervised.iter().enumerate() {
            let (image, label) =
                (batch.images.get(position as i64), batch.labels.int64_value(&[position as i64]));
            let turns = if *supervised { 0 } else { label };
            let back = image.rot90(4 - turns, [1, 2]);
            let found = (0..40).find(|i| max_abs_difference(&back, &dataset.images.get(*i)) == 0.0);
            let found = found
                .unwrap_or_else(|| panic!("image {position} is none of the data set, turned by {turns}"));
            if *supervised {
                assert_eq!(label, dataset.labels.int64_value(&[found]));
            } else {
                turns_seen.insert(turns);
            }
        }
    }
    assert_eq!(turns_seen, (0..4).collect());
}

/// Networks with and without a batch normalization that sees one value per image and channel: derived from the layers,
/// and true to what a pass in training mode makes of one image.
#[test]
fn the_fewest_values_that_a_batch_normalization_sees() {
    let resnet = |blocks| Family::ResNet(ResNet { blocks, bottleneck: false, channels: 2 });
    let mlp = || Family::Mlp(Mlp { units: vec![4] });
    let lenet = Family::LeNet(LeNet { channels: 2, linear: 4 });
    let batch = Some(Norm::Batch);
    for (family, side, normalization, least) in [
        (resnet(vec![1, 1, 1, 1]), 32, batch, Some(16)),
        (resnet(vec![1, 1, 1, 1]), 8, batch, Some(1)),
        (resnet(vec![1, 1, 1]), 7, Some(Norm::Reparameterized), Some(4)),
        (resnet(vec![1, 1, 1]), 4, Some(Norm::FixedBatch), Some(1)),
        (lenet, 28, batch, Some(14 * 14)),
        (mlp(), 28, batch, Some(1)),
        (mlp(), 28, None, None),
        (resnet(vec![1, 1, 1, 1]), 8, Some(Norm::Group), None),
    ] {
        let channels = if normalization == Some(Norm::Group) { 16 } else { 2 };
        let family = match family {
            Family::ResNet(family) => Family::ResNet(ResNet { channels, ..family }),
            other => other,
        };
        let resolution = [1, side, side];
        let architecture =
            Architecture { family, resolution, normalization, whiten: false, ..Architecture::default() };
        let topology = architecture.topology().unwrap();
        assert_eq!(topology.least_normalized_values(), least, "{architecture:?}");
        let refused = |images: usize, job: Train| {
            Train { batch_size: 16, ..job }.check_batches(&topology, images).is_err()
        };
        let one = least == Some(1);
        assert_eq!(refused(33, Train::default()), one);
        assert!(!refused(34, Train::default()) && !refused(32, Train::default()));
        let short = Train { steps_per_epoch: Some(2), ..Train::default() };
        assert!(!refused(33, short), "the last batch is never reached");
        let rotations = Train { method: Method::Rotation { weight: 1.0, fraction: 0.5 }, ..Train::default() };
        assert!(!refused(33, rotations), "filled up by rotated images");
        // In training mode a single value makes the variance of the running statistics NaN.
        let network = Network::fresh(topology, 0);
        let params = network.params(&network.weights);
        let image =
            Tensor::linspace(0.0, 1.0, side * side, (Kind::Float, Device::Cpu)).view([1, 1, side, side]);
        let _ = logits(&network.topology, &params, &image, Mode::Train { seed: 0 });
        let broken = network.buffers.iter().any(|(_, buffer)| buffer.isnan().any().int64_value(&[]) == 1);
        assert_eq!(broken, one, "{architecture:?}");
    }
    // What the paper's program guesses in training mode is the attacked part alone.
    let guessing = |as_in_paper| {
        let method =
            Method::Adversarial { fraction: 0.5, ignore_incorrect: false, prevent_label_leaking: true };
        let topology = Architecture { family: mlp(), ..Architecture::default() }.topology().unwrap();
        Train { method, as_in_paper, batch_size: 16, ..Train::default() }.check_batches(&topology, 34)
    };
    assert!(guessing(true).is_err() && guessing(false).is_ok());
}
