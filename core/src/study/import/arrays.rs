//! Arrays in the HDF5 files of the paper's program.

use std::path::Path;

use hdf5_pure::File;

use crate::error::{Error, Result};

/// An array in C order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Array {
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its values.
    pub values: Vec<f64>,
}

impl Array {
    /// Reads a data set of a file.
    ///
    /// # Errors
    /// The file is damaged or has no such data set.
    pub fn read(path: &Path, name: &str) -> Result<Self> {
        let damaged = |error: hdf5_pure::Error| {
            Error::file(path, format!("has no readable data set {name} ({error}); copy the file again"))
        };
        let file = File::open_streaming(path).map_err(damaged)?;
        let content = file.dataset(name).map_err(damaged)?;
        let shape: Vec<usize> =
            content.shape().map_err(damaged)?.into_iter().map(|size| size as usize).collect();
        let values = content.read_f64().map_err(damaged)?;
        if values.len() != shape.iter().product::<usize>() {
            return Err(Error::file(
                path,
                format!("holds less of {name} than its shape {shape:?} says; copy it again"),
            ));
        }
        Ok(Self { shape, values })
    }

    /// Reads the shape of a data set alone.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn shape(path: &Path, name: &str) -> Result<Vec<usize>> {
        let damaged = |error: hdf5_pure::Error| {
            Error::file(path, format!("has no readable data set {name} ({error}); copy the file again"))
        };
        let file = File::open_streaming(path).map_err(damaged)?;
        let shape = file.dataset(name).map_err(damaged)?.shape().map_err(damaged)?;
        Ok(shape.into_iter().map(|size| size as usize).collect())
    }

    /// The values in single precision, as they were stored.
    pub fn floats(&self) -> Vec<f32> {
        self.values.iter().map(|value| *value as f32).collect()
    }
}
