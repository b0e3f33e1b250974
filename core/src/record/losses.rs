//! Losses per draw and example kept beside a flatness record: `<record>.losses.safetensors`, named in the record.
//!
//! `index` (int64, `N`) holds the index of each example in its split. Every table is two tensors, `NAME.loss` (float32,
//! draws x `N`) and `NAME.wrong` (bool, draws x `N`), its rows in the order of the record's draws. Names: `clean` and
//! `reference` (one row: the unperturbed network), `radii.R` (R from 0: position in the record's `radii`), of a multilevel
//! estimate also `radii.R.short` and `radii.R.clean`, and `layers.L.radii.R`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::error::{Error, Result};
use crate::files::write_atomically;
use crate::measure::KeptLosses;
use crate::measure::flatness::Losses;

impl KeptLosses {
    /// Where the losses of the record at `record` are.
    pub fn path_beside(record: &Path) -> PathBuf {
        let mut name = record.file_name().unwrap_or_default().to_owned();
        name.push(".losses.safetensors");
        record.with_file_name(name)
    }

    /// Writes the file: to a temporary one, synced, then renamed.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let count = self.index.len();
        let index: Vec<u8> = self.index.iter().flat_map(|i| (*i as i64).to_le_bytes()).collect();
        let mut parts = vec![("index".to_owned(), Dtype::I64, vec![count], index)];
        for (name, rows) in &self.tables {
            let shape = vec![rows.len(), count];
            let loss = rows.iter().flat_map(|row| &row.loss).flat_map(|loss| loss.to_le_bytes()).collect();
            let wrong = rows.iter().flat_map(|row| &row.wrong).map(|wrong| u8::from(*wrong)).collect();
            parts.push((format!("{name}.loss"), Dtype::F32, shape.clone(), loss));
            parts.push((format!("{name}.wrong"), Dtype::BOOL, shape, wrong));
        }
        let views = parts.iter().map(|(name, kind, shape, bytes)| {
            (name, TensorView::new(*kind, shape.clone(), bytes).expect("every draw has all examples"))
        });
        write_atomically(path, &safetensors::serialize(views, None).expect("plain tensors"))
    }

    /// Reads the file.
    ///
    /// # Errors
    /// It is missing, or not what [`KeptLosses::save`] writes.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|e| Error::io("cannot read", path, e))?;
        Self::parse(&bytes)
            .ok_or_else(|| Error::file(path, "is damaged or holds no losses; run the record's job again"))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let file = SafeTensors::deserialize(bytes).ok()?;
        let tensor = |name: &str, kind: Dtype| file.tensor(name).ok().filter(|view| view.dtype() == kind);
        let index = tensor("index", Dtype::I64)?;
        let index: Vec<usize> = index
            .data()
            .chunks_exact(8)
            .map(|b| usize::try_from(i64::from_le_bytes(b.try_into().expect("8 bytes"))).ok())
            .collect::<Option<_>>()?;
        let mut tables = BTreeMap::new();
        for name in file.names() {
            let Some(name) = name.strip_suffix(".loss") else { continue };
            let loss = tensor(&format!("{name}.loss"), Dtype::F32)?;
            let wrong = tensor(&format!("{name}.wrong"), Dtype::BOOL)?;
            let fits = loss.shape() == wrong.shape() && loss.shape().get(1) == Some(&index.len());
            let count = index.len().max(1);
            let rows = loss.data().chunks_exact(4 * count).zip(wrong.data().chunks_exact(count));
            let rows = rows.map(|(loss, wrong)| Losses {
                loss: loss
                    .chunks_exact(4)
                    .map(|b| f32::from_le_bytes(b.try_into().expect("4 bytes")))
                    .collect(),
                wrong: wrong.iter().map(|wrong| *wrong != 0).collect(),
            });
            tables.insert(name.to_owned(), fits.then(|| rows.collect())?);
        }
        Some(Self { index, tables })
    }
}
