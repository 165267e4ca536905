//! A plan as people read it.
//!
//! ```text
//! + entity carrier
//! ~ feature_view origin_weather
//!     + schema.wind_speed: float64
//!     ~ ttl: 3h -> 6h
//! - feature_service old_model
//!
//! 1 to add, 1 to change, 1 to remove
//! ```

use std::fmt;

use super::{ADVICE, Action, FieldChange, Hurt, Incompatible, Plan};

/// A value longer than this is shown on lines of its own.
const LONG: usize = 60;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return match self.base {
                Some(base) => writeln!(f, "Nothing to do: version {base} says the same."),
                None => writeln!(f, "Nothing to do: nothing is defined."),
            };
        }
        for change in &self.changes {
            let sign = match change.action {
                Action::Added => '+',
                Action::Changed { .. } => '~',
                Action::Removed => '-',
            };
            writeln!(f, "{sign} {} {}", change.kind, change.name)?;
            if let Action::Changed { fields } = &change.action {
                fields.iter().try_for_each(|field| write_field(f, field))?;
            }
        }
        let counts = self.counts();
        writeln!(
            f,
            "\n{} to add, {} to change, {} to remove",
            counts.added, counts.changed, counts.removed
        )?;
        if self.is_blocked() {
            writeln!(f)?;
        }
        write_hurt(f, &self.hurt)?;
        write_incompatible(f, &self.incompatible)?;
        if !self.notes.is_empty() || !self.backfills.is_empty() {
            writeln!(f, "\nTo know:")?;
        }
        for backfill in &self.backfills {
            writeln!(f, "  {backfill}")?;
        }
        self.notes
            .iter()
            .try_for_each(|note| writeln!(f, "  {note}"))
    }
}

/// Writes the services whose callers would lose something, if there are any.
pub(crate) fn write_hurt(f: &mut fmt::Formatter<'_>, hurt: &[Hurt]) -> fmt::Result {
    if !hurt.is_empty() {
        writeln!(f, "Services whose callers would lose features:")?;
    }
    for Hurt { service, lost } in hurt {
        writeln!(f, "  {service}")?;
        for lost in lost {
            writeln!(f, "    {}: {}", lost.feature, lost.reason)?;
        }
    }
    Ok(())
}

/// Writes the views whose stored data cannot follow, and what to do, if there are any.
pub(crate) fn write_incompatible(
    f: &mut fmt::Formatter<'_>,
    incompatible: &[Incompatible],
) -> fmt::Result {
    if incompatible.is_empty() {
        return Ok(());
    }
    writeln!(f, "Feature views whose stored rows cannot follow:")?;
    for Incompatible { view, reasons } in incompatible {
        writeln!(f, "  {view}")?;
        for reason in reasons {
            writeln!(f, "    {reason}")?;
        }
    }
    writeln!(f, "  {ADVICE}")
}

fn write_field(f: &mut fmt::Formatter<'_>, field: &FieldChange) -> fmt::Result {
    let FieldChange {
        path,
        before,
        after,
    } = field;
    let long = |value: &Option<String>| {
        value
            .as_ref()
            .is_some_and(|value| value.len() > LONG || value.contains('\n'))
    };
    let sign = match (before, after) {
        (None, _) => '+',
        (_, None) => '-',
        _ => '~',
    };
    write!(f, "    {sign} {path}:")?;
    if long(before) || long(after) {
        writeln!(f)?;
        write_block(f, '-', before.as_deref())?;
        return write_block(f, '+', after.as_deref());
    }
    match (before, after) {
        (Some(before), Some(after)) => writeln!(f, " {before} -> {after}"),
        (value, None) | (None, value) => writeln!(f, " {}", value.as_deref().unwrap_or_default()),
    }
}

fn write_block(f: &mut fmt::Formatter<'_>, sign: char, value: Option<&str>) -> fmt::Result {
    value
        .into_iter()
        .flat_map(str::lines)
        .try_for_each(|line| writeln!(f, "        {sign} {line}"))
}
