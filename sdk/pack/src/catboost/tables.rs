//! Tables of counts, and the bins that follow from them.

use trained::ops::bins::Table;

use super::features::{Computed, CountKind};
use crate::value::Node;
use crate::{ReadError, limits};

/// Reads the table of this name and returns the bins of each key: one for each number that is computed of it, with its borders.
pub(super) fn read(
    tables: Option<&Node<'_>>,
    name: &str,
    computed: &[(&Computed, Vec<f32>)],
) -> Result<Table, ReadError> {
    let missing = || ReadError::Malformed {
        place: "ctr_data".to_owned(),
        found: format!("no table {name}"),
        expected: "one, as the ctrs name it".to_owned(),
    };
    let table = tables.ok_or_else(missing)?.find(name)?.ok_or_else(missing)?;
    let stride = table.get("hash_stride")?.count()?;
    let all = table.get("counter_denominator")?.f32()?;
    let flat = table.get("hash_map")?;
    let nodes = flat.list()?;
    if !(2..=limits::OUTPUTS).contains(&stride) || !nodes.len().is_multiple_of(stride) {
        let counts = match stride {
            2..=limits::OUTPUTS => (stride - 1).to_string(),
            _ => format!("1 to {}", limits::OUTPUTS - 1),
        };
        return Err(flat.wrong(&format!("keys with {counts} counts each")));
    }
    let bins = computed.len().saturating_mul(nodes.len() / stride);
    limits::check(&flat.place, bins, "bins for the keys of a table", limits::TABLE_BINS)?;
    for (one, _) in computed {
        if one.elements != computed[0].0.elements {
            let other = &computed[0].0.place;
            return Err(ReadError::Malformed {
                place: one.place.clone(),
                found: format!("other elements than {other} has, of the same table"),
                expected: "the same".to_owned(),
            });
        }
        let fits = match one.kind {
            CountKind::Counter => stride == 2,
            CountKind::Mean => stride == 3,
            CountKind::Borders(class) | CountKind::Bucket(class) => class + 1 < stride,
        };
        if !fits {
            return Err(flat.wrong(&format!("as many counts as {} needs", one.place)));
        }
    }
    let bins = |counts: &[f64]| computed.iter().map(|it| bin(it, counts, all)).collect();
    let mut entries = Vec::new();
    for entry in nodes.chunks(stride) {
        let Ok(key) = entry[0].text()?.parse::<u64>() else {
            return Err(entry[0].wrong("a whole number of 64 bits"));
        };
        let counts = entry[1..].iter().map(Node::f64).collect::<Result<Vec<_>, _>>()?;
        entries.push((key, bins(&counts)));
    }
    Ok(Table::new(entries, bins(&vec![0.0; stride - 1])))
}

/// The bin of a key by its counts, which are whole numbers: added as such, and then of single precision.
fn bin((computed, borders): &(&Computed, Vec<f32>), counts: &[f64], all: f32) -> u8 {
    let sum = |counts: &[f64]| counts.iter().sum::<f64>() as f32;
    let value = match computed.kind {
        CountKind::Borders(class) => computed.value(sum(&counts[class + 1..]), sum(counts)),
        CountKind::Bucket(class) => computed.value(counts[class] as f32, sum(counts)),
        CountKind::Mean => computed.value(counts[0] as f32, counts[1] as f32),
        CountKind::Counter => computed.value(counts[0] as f32, all),
    };
    borders.iter().filter(|border| value > **border).count() as u8
}
