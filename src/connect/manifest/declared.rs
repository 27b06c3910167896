//! A manifest as a connector among the others. Its texts live as long as the
//! process, as those of the other connectors do. Runs nothing that is not approved.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use regex::Regex;

use super::{Manifest, OwnField, OwnKind, Run, Source, approval, fail, find_program, registry};
use crate::connect::field::{Field, FieldKind, Matches, Word};
use crate::connect::host::link::HostLink;
use crate::connect::launch::Launch;
use crate::connect::link::Link;
use crate::connect::{Answer, Common, Connector, Failure, Lease, Opens, Question};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::Target;
use crate::os::chromium;

/// For a terminal that is there already.
const CHANNEL_LIMIT: Duration = Duration::from_secs(15);

/// A connector by manifest.
pub struct Declared {
    /// What it says.
    pub manifest: Manifest,
    /// Where it comes from.
    pub source: Source,
    id: &'static str,
    icon: &'static str,
    fields: &'static [Field],
    slots: &'static [Slot],
}

fn kept(text: &str) -> &'static str {
    String::from(text).leak()
}

impl Declared {
    /// A connector for the rest of the process.
    pub fn new(manifest: Manifest, source: Source) -> &'static Self {
        let fields: Vec<Field> = manifest.fields.iter().map(field).collect();
        let mut slots: Vec<Slot> = Vec::new();
        for secret in &manifest.secrets {
            if !slots.contains(&secret.slot) && !matches!(secret.slot, Slot::Custom(_)) {
                slots.push(secret.slot.clone());
            }
        }
        slots.push(Slot::Notes);
        Box::leak(Box::new(Self {
            id: kept(&manifest.kind),
            icon: kept(&manifest.icon),
            fields: fields.leak(),
            slots: slots.leak(),
            manifest,
            source,
        }))
    }

    /// The word of its kind.
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// What its file says now, if that is not what was read from it.
    fn renewed(&self) -> Result<Option<Manifest>, Failure> {
        let Source::File(path) = &self.source else { return Ok(None) };
        let shown = path.display().to_string();
        if !path.exists() {
            return Err(fail::gone(&shown));
        }
        let manifest = registry::load(path).map_err(|faults| fail::broken(&shown, &faults))?;
        if manifest.kind != self.manifest.kind {
            return Err(fail::gone(&shown));
        }
        Ok((manifest.text != self.manifest.text).then_some(manifest))
    }
}

fn field(own: &OwnField) -> Field {
    let kind = match &own.kind {
        OwnKind::Text(None) => FieldKind::Text,
        OwnKind::Text(Some(pattern)) => FieldKind::Matching(Matches::pattern(kept(pattern))),
        OwnKind::Bool => FieldKind::Bool,
        OwnKind::Number(min, max) => FieldKind::Number { min: *min, max: *max },
        OwnKind::Choice(words) => {
            let words = words.iter().map(|(word, label)| Word {
                word: kept(word),
                fr: kept(&label.fr),
                en: kept(&label.en),
            });
            FieldKind::Choice(words.collect::<Vec<_>>().leak())
        }
    };
    Field {
        id: kept(&own.id),
        fr: kept(&own.label.fr),
        en: kept(&own.label.en),
        help_fr: kept(&own.help.fr),
        help_en: kept(&own.help.en),
        kind,
        default: kept(&own.default),
        inherits: own.inherits,
    }
}

impl Connector for Declared {
    fn id(&self) -> &'static str {
        self.id
    }

    fn label(&self) -> Bi {
        self.manifest.name.clone()
    }

    fn icon(&self) -> &'static str {
        self.icon
    }

    fn fields(&self) -> &'static [Field] {
        self.fields
    }

    fn slots(&self) -> &'static [Slot] {
        self.slots
    }

    fn takes(&self, slot: &Slot) -> bool {
        self.manifest.secrets.iter().any(|secret| secret.slot == *slot)
    }

    fn common(&self) -> Common {
        self.manifest.common
    }

    fn default_port(&self) -> Option<u16> {
        self.manifest.port
    }

    fn opens(&self) -> Opens {
        Opens::Session
    }

    fn many_channels(&self) -> bool {
        false
    }

    fn open(&self, target: &Target, lease: &mut dyn Lease) -> Result<Box<dyn Link>, Failure> {
        let renewed = self.renewed()?;
        let manifest = renewed.as_ref().unwrap_or(&self.manifest);
        // What was approved is what starts: it is looked up once.
        let program = find_program(manifest.programs());
        approval::ensure(manifest, &self.source, program.as_deref(), lease)?;
        if manifest.programs().is_empty() || !cfg!(unix) {
            return Err(fail::no_platform(&manifest.kind));
        }
        let program = program.ok_or_else(|| fail::no_program(manifest))?;
        let mut target = target.clone();
        let end = target.hops.last_mut().expect("a target has at least its destination");
        if manifest.common.user
            && end.user.is_empty()
            && end.ask
            && let Answer::Text(user) = lease.ask(Question::User)
        {
            end.user = user.expose(|user| user.trim().to_owned());
        }
        let run = Run::of(manifest, end, Path::new(&program))?;
        let desktop = lease.desktop();
        if manifest.window && !chromium::has_screen(&desktop) {
            return Err(fail::no_screen(&manifest.name.en));
        }
        let mut launch = Launch::session_host();
        if manifest.window {
            let each = desktop.into_iter().map(|(name, value)| (name.into(), value.into()));
            launch.env = each.collect();
        }
        Ok(Box::new(HostLink::open_run(launch, run, &target, lease, CHANNEL_LIMIT)?))
    }
}

impl Matches {
    /// What matches a pattern, as a whole.
    fn pattern(pattern: &'static str) -> Self {
        Self(Box::leak(Box::new((pattern, OnceLock::<Option<Regex>>::new()))))
    }
}
