//! Types of elements by their names in PyTorch.

use tch::Kind;

/// The type of the elements of a storage or tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element {
    /// What it is here; none: Basin has no use for it.
    pub kind: Option<Kind>,
    /// Bytes of one.
    pub size: u64,
    /// PyTorch's name.
    pub name: &'static str,
}

/// PyTorch's name of a type, `float32`.
pub fn element_name(kind: Kind) -> &'static str {
    let row = ELEMENTS.iter().find(|row| Element::from_row(row).kind == Some(kind));
    row.map_or("unknown", |(_, name, _)| *name)
}

/// Name of the class of storages, name of the type, bytes.
const ELEMENTS: [(&str, &str, u64); 26] = [
    ("DoubleStorage", "float64", 8),
    ("FloatStorage", "float32", 4),
    ("HalfStorage", "float16", 2),
    ("BFloat16Storage", "bfloat16", 2),
    ("LongStorage", "int64", 8),
    ("IntStorage", "int32", 4),
    ("ShortStorage", "int16", 2),
    ("CharStorage", "int8", 1),
    ("ByteStorage", "uint8", 1),
    ("BoolStorage", "bool", 1),
    ("ComplexDoubleStorage", "complex128", 16),
    ("ComplexFloatStorage", "complex64", 8),
    ("QInt8Storage", "qint8", 1),
    ("QUInt8Storage", "quint8", 1),
    ("QInt32Storage", "qint32", 4),
    ("QUInt4x2Storage", "quint4x2", 1),
    ("QUInt2x4Storage", "quint2x4", 1),
    ("UntypedStorage", "uint8", 1),
    ("", "uint16", 2),
    ("", "uint32", 4),
    ("", "uint64", 8),
    ("", "complex32", 4),
    ("", "float8_e4m3fn", 1),
    ("", "float8_e5m2", 1),
    ("", "float8_e4m3fnuz", 1),
    ("", "float8_e5m2fnuz", 1),
];

impl Element {
    /// By the class of a storage, `FloatStorage`.
    pub fn of_storage(class: &str) -> Option<Self> {
        ELEMENTS.iter().find(|(storage, ..)| *storage == class).map(Self::from_row)
    }

    /// By the name of a type, `float32`.
    pub fn of_type(name: &str) -> Option<Self> {
        ELEMENTS.iter().find(|(_, known, _)| *known == name).map(Self::from_row)
    }

    /// The class of storages of this type; none: PyTorch has none, or Basin no use for it.
    pub fn storage_of(kind: Kind) -> Option<&'static str> {
        ELEMENTS.iter().find(|row| Self::from_row(row).kind == Some(kind)).map(|(storage, ..)| *storage)
    }

    fn from_row(&(_, name, size): &(&'static str, &'static str, u64)) -> Self {
        let kind = match name {
            "float64" => Some(Kind::Double),
            "float32" => Some(Kind::Float),
            "float16" => Some(Kind::Half),
            "bfloat16" => Some(Kind::BFloat16),
            "int64" => Some(Kind::Int64),
            "int32" => Some(Kind::Int),
            "int16" => Some(Kind::Int16),
            "int8" => Some(Kind::Int8),
            "uint8" => Some(Kind::Uint8),
            "bool" => Some(Kind::Bool),
            _ => None,
        };
        Self { kind, size, name }
    }
}
