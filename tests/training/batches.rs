//! Which examples are in which batch.

use std::collections::BTreeSet;

use basin_core::data::{self, Augmentation};
use basin_core::train::{Method, Order, Source, Train, TrainData};
use tch::Device;

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
