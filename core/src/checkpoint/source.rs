//! Parts of a file, read when asked for.

use std::fs::File;
use std::io::{Error, ErrorKind, Read as _, Result, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// A file of which any range can be read, from any thread.
pub struct Source {
    file: Mutex<File>,
    len: u64,
}

impl Source {
    /// Opens a file.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Self { file: Mutex::new(file), len })
    }

    /// Size of the file in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Reads a range.
    ///
    /// # Errors
    /// The file does not have it, or cannot be read.
    pub fn read(&self, range: Range<u64>) -> Result<Vec<u8>> {
        // Sizes come from the file, so memory is taken only for what is there.
        if range.start > range.end || range.end > self.len {
            return Err(Error::new(ErrorKind::UnexpectedEof, "it ends early"));
        }
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(range.start))?;
        let length = range.end - range.start;
        let mut bytes = Vec::with_capacity(length as usize);
        if file.by_ref().take(length).read_to_end(&mut bytes)? as u64 == length {
            return Ok(bytes);
        }
        Err(Error::new(ErrorKind::UnexpectedEof, "it ends early"))
    }
}

/// The bytes of one stored array of numbers, of which any range can be read.
#[derive(Clone)]
pub struct Storage {
    /// Size in bytes.
    pub len: u64,
    read: Arc<dyn Fn(Range<u64>) -> Result<Vec<u8>> + Send + Sync>,
}

impl Storage {
    /// A storage with a way to read a range of it.
    pub fn new(len: u64, read: impl Fn(Range<u64>) -> Result<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self { len, read: Arc::new(read) }
    }

    /// A range of a file.
    pub fn within(source: &Arc<Source>, range: Range<u64>) -> Self {
        let source = source.clone();
        Self::new(range.end - range.start, move |part| {
            source.read(range.start + part.start..range.start + part.end)
        })
    }

    /// Bytes in memory.
    pub fn of(bytes: Vec<u8>) -> Self {
        Self::new(bytes.len() as u64, move |part| Ok(bytes[part.start as usize..part.end as usize].to_vec()))
    }

    /// A part of it.
    pub fn part(&self, range: Range<u64>) -> Self {
        let whole = self.clone();
        Self::new(range.end - range.start, move |part| {
            whole.read(range.start + part.start..range.start + part.end)
        })
    }

    /// Reads a range.
    ///
    /// # Errors
    /// The storage does not have it, is damaged, or cannot be read.
    pub fn read(&self, range: Range<u64>) -> Result<Vec<u8>> {
        if range.start > range.end || range.end > self.len {
            return Err(Error::new(ErrorKind::UnexpectedEof, "a tensor reaches beyond what is stored"));
        }
        (self.read)(range)
    }
}
