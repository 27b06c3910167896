//! The report for a client's auditor: PDF/A on A4, French or English. Every page
//! carries the vault's fingerprint and the signed checkpoint, every row its
//! leaf hash. A long report comes in several files, so that neither this program
//! nor a reader needs room for all of it.

use std::collections::BTreeMap;
use std::io::Write;

use krilla::page::PageSettings;
use krilla::surface::Surface;

use super::file::Whole;
use super::typeset::{self, Faces, fill, ink};
use super::{ExportError, ExportMeta, html, words};
use crate::app::api::ExportRequest;
use crate::model::audit_event::{Event, OpenLine, field};
use crate::model::lang::Lang;

/// Rows of one file; some 700 pages.
const MOST: u64 = 15_000;

const WIDTH: f32 = 841.89;
const HEIGHT: f32 = 595.28;
const MARGIN: f32 = 34.0;
/// Where rows begin on a page and where they must have ended.
const TOP: f32 = 74.0;
const BOTTOM: f32 = HEIGHT - 62.0;
const SIZE: f32 = 7.6;
const LEADING: f32 = 9.6;
const HASH_SIZE: f32 = 5.2;
const PAD: f32 = 3.2;

const BLACK: (u8, u8, u8) = (26, 28, 33);
const GREY: (u8, u8, u8) = (96, 100, 110);
const BAND: (u8, u8, u8) = (244, 245, 248);
const RULE: (u8, u8, u8) = (190, 194, 203);
const HEAD: (u8, u8, u8) = (33, 53, 87);
const RED: (u8, u8, u8) = (168, 32, 26);

/// Columns and their widths in points.
const COLUMNS: [(&str, f32); 8] = [
    ("seq", 38.0),
    ("time", 82.0),
    ("event", 100.0),
    (field::MEMBER, 70.0),
    (field::ENTRY, 142.0),
    (field::TICKET, 68.0),
    (field::HOST, 118.0),
    (field::DETAIL, 155.8),
];
/// A report under way. Holds the rows of one file: page numbers need their count.
pub struct Pdf<'a> {
    request: &'a ExportRequest,
    meta: &'a ExportMeta,
    out: &'a Whole,
    /// Files behind the first, all but the last of them written.
    more: Vec<Whole>,
    /// Which file is under way, from 1, of how many.
    part: u64,
    parts: u64,
    faces: Faces,
    lang: Lang,
    rows: Vec<Row>,
    counts: BTreeMap<Event, (u64, u64)>,
}

/// One row, broken into lines.
struct Row {
    cells: Vec<Vec<String>>,
    hash: String,
    seq: u64,
    ok: bool,
    height: f32,
}

impl<'a> Pdf<'a> {
    /// An empty report of `expected` rows.
    pub fn new(
        request: &'a ExportRequest,
        meta: &'a ExportMeta,
        out: &'a Whole,
        expected: u64,
    ) -> Result<Self, ExportError> {
        Ok(Self {
            request,
            meta,
            out,
            more: Vec::new(),
            part: 1,
            parts: expected.div_ceil(MOST).max(1),
            faces: Faces::load()?,
            lang: request.lang,
            rows: Vec::new(),
            counts: BTreeMap::new(),
        })
    }

    /// One row.
    pub fn row(&mut self, line: &OpenLine) -> Result<(), ExportError> {
        if self.rows.len() as u64 >= MOST {
            self.close()?;
            self.part += 1;
            self.more.push(self.out.part(self.part)?);
        }
        let count = self.counts.entry(line.event).or_default();
        count.0 += 1;
        count.1 += u64::from(!line.ok);

        let text = |name| line.field(name).to_owned();
        let mut event = words::event(line.event, self.lang).to_owned();
        if !line.ok {
            event = format!("{event}\n{}", words::outcome(false, self.lang));
        }
        let texts = [
            line.seq.to_string(),
            words::minute(line.at),
            event,
            text(field::MEMBER),
            words::place(line),
            text(field::TICKET),
            words::far(line),
            words::rest(line, self.lang),
        ];
        let cells: Vec<Vec<String>> = texts
            .iter()
            .zip(COLUMNS)
            .map(|(text, (_, width))| self.faces.regular.wrap(text, SIZE, width - 2.0 * PAD))
            .collect();
        let tallest = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
        // A cell of pages would be no help to anybody.
        let most = ((BOTTOM - TOP) / LEADING) as usize - 4;
        // The hash stands below date and event, beside the taller cells.
        let above = cells[1..4].iter().map(Vec::len).max().unwrap_or(0).min(most);
        let height = (tallest.min(most) as f32 * LEADING)
            .max(above as f32 * LEADING + HASH_SIZE + 2.0)
            + 2.0 * PAD;
        let mut cells = cells;
        for cell in cells.iter_mut().filter(|c| c.len() > most) {
            cell.truncate(most);
            cell.last_mut().expect("most is positive").push('…');
        }
        self.rows.push(Row {
            cells,
            hash: line.leaf_hash.clone(),
            seq: line.seq,
            ok: line.ok,
            height,
        });
        Ok(())
    }

    /// Writes the last file; returns those behind the first.
    pub fn finish(mut self) -> Result<Vec<Whole>, ExportError> {
        self.close()?;
        Ok(self.more)
    }

    /// Writes the file under way and forgets its rows.
    fn close(&mut self) -> Result<(), ExportError> {
        let document = self.document()?;
        let out = self.more.last().unwrap_or(self.out);
        out.file().write_all(&document).map_err(|e| out.fail(e))?;
        self.rows.clear();
        self.counts.clear();
        Ok(())
    }

    fn document(&self) -> Result<Vec<u8>, ExportError> {
        let (lang, meta) = (self.lang, self.meta);
        let title = lang.pick("Journal des accès", "Access log");
        let mut name = format!("{title} – {}", meta.vault_name);
        if self.parts > 1 {
            name = format!("{name} – {}/{}", self.part, self.parts);
        }
        let author = words::exporter(self.request, meta, lang);
        let mut document = typeset::document(&name, author, meta.generated_at, lang)?;
        let settings = || PageSettings::from_wh(WIDTH, HEIGHT).expect("A4 has a size");
        let pages = self.paginate();
        let total = pages.len() + 1;

        let mut page = document.start_page_with(settings());
        let mut surface = page.surface();
        self.cover(&mut surface, title);
        self.frame(&mut surface, 1, total);
        surface.finish();
        page.finish();
        for (number, rows) in (2..).zip(pages) {
            let mut page = document.start_page_with(settings());
            let mut surface = page.surface();
            self.header(&mut surface, title);
            let mut y = TOP;
            for (i, row) in self.rows[rows].iter().enumerate() {
                self.paint(&mut surface, row, y, i % 2 == 1);
                y += row.height;
            }
            self.frame(&mut surface, number, total);
            surface.finish();
            page.finish();
        }
        typeset::finish(document)
    }

    /// Which part of the report this file is; nothing for a whole one.
    fn part_words(&self) -> Option<String> {
        let (part, parts) = (self.part, self.parts);
        let (first, last) = (self.rows.first()?.seq, self.rows.last()?.seq);
        (parts > 1).then(|| match self.lang {
            Lang::Fr => format!("{part} sur {parts}\u{a0}: de la ligne {first} à la ligne {last}"),
            Lang::En => format!("{part} of {parts}: from line {first} to line {last}"),
        })
    }

    /// The rows of each page behind the first.
    fn paginate(&self) -> Vec<std::ops::Range<usize>> {
        let mut pages = Vec::new();
        let (mut start, mut y) = (0, TOP);
        for (i, row) in self.rows.iter().enumerate() {
            if y + row.height > BOTTOM && i > start {
                pages.push(start..i);
                (start, y) = (i, TOP);
            }
            y += row.height;
        }
        if start < self.rows.len() {
            pages.push(start..self.rows.len());
        }
        pages
    }

    fn cover(&self, surface: &mut Surface<'_>, title: &str) {
        let (lang, Faces { regular, bold, mono }) = (self.lang, &self.faces);
        let (request, meta) = (self.request, self.meta);
        ink(surface, HEAD);
        bold.draw(surface, MARGIN, 62.0, 24.0, title);
        let mut y = 96.0;
        let part = self.part_words().map(|words| (lang.pick("Fichier", "File"), words));
        for (name, value) in part.into_iter().chain(html::facts(request, meta)) {
            ink(surface, GREY);
            regular.draw(surface, MARGIN, y, 9.5, name);
            ink(surface, BLACK);
            for line in regular.wrap(&value, 9.5, 320.0).iter().take(8) {
                regular.draw(surface, MARGIN + 122.0, y, 9.5, line);
                y += 13.5;
            }
            y += 2.0;
        }
        y += 12.0;
        ink(surface, HEAD);
        bold.draw(surface, MARGIN, y, 11.0, lang.pick("Comment vérifier", "How to verify"));
        y += 16.0;
        ink(surface, BLACK);
        let how = lang.pick(
            "Ce rapport se lit\u{a0}; le paquet ZIP exporté à côté (format «\u{a0}bundle\u{a0}») se vérifie. Chaque ligne porte ici le même numéro et la même empreinte que dans le paquet, et la racine du journal en pied de page est celle que le membre exportateur a signée. Comparez l’empreinte du coffre avec celle reçue par un autre chemin.",
            "This report is for reading; the ZIP exported beside it (format \"bundle\") is for verifying. Every line carries here the same number and hash as in the bundle, and the root of the log at the foot of each page is the one that the exporting member signed. Compare the vault's fingerprint with the one received by another way.",
        );
        for line in regular.wrap(how, 9.5, 442.0) {
            regular.draw(surface, MARGIN, y, 9.5, &line);
            y += 13.5;
        }
        y += 10.0;
        ink(surface, HEAD);
        let signed = lang.pick("Point de contrôle signé", "Signed checkpoint");
        bold.draw(surface, MARGIN, y, 11.0, signed);
        y += 15.0;
        ink(surface, BLACK);
        for line in mono.wrap(&meta.note, 6.8, 442.0).iter().take(12) {
            mono.draw(surface, MARGIN, y, 6.8, line);
            y += 9.5;
        }

        // Beside it, how often what happened.
        let (x, width) = (520.0, WIDTH - MARGIN - 520.0);
        let mut y = 96.0;
        ink(surface, HEAD);
        let many = match (lang, self.rows.len()) {
            (Lang::Fr, 0 | 1) => format!("{} ligne", self.rows.len()),
            (Lang::Fr, n) => format!("{n} lignes"),
            (Lang::En, 1) => "1 line".to_owned(),
            (Lang::En, n) => format!("{n} lines"),
        };
        bold.draw(surface, x, y, 11.0, &many);
        for name in [(lang.pick("refusées", "refused"), 0.0), (lang.pick("total", "total"), 62.0)]
        {
            ink(surface, GREY);
            let right = x + width - name.1;
            regular.draw(surface, right - regular.width(name.0, 8.0), y, 8.0, name.0);
        }
        y += 6.0;
        for (event, (all, failed)) in &self.counts {
            ink(surface, RULE);
            fill(surface, x, y, width, 0.4);
            y += 11.0;
            ink(surface, BLACK);
            regular.draw(surface, x, y, 8.4, words::event(*event, lang));
            let mut number = |n: u64, right: f32| {
                let text = n.to_string();
                let at = right - regular.width(&text, 8.4);
                regular.draw(surface, at, y, 8.4, &text);
            };
            number(*all, x + width - 62.0);
            if *failed > 0 {
                number(*failed, x + width);
            }
            y += 2.6;
            if y > BOTTOM - 14.0 {
                break;
            }
        }
    }

    /// Title and column heads of a page of rows.
    fn header(&self, surface: &mut Surface<'_>, title: &str) {
        let (meta, Faces { regular, bold, .. }) = (self.meta, &self.faces);
        ink(surface, HEAD);
        bold.draw(surface, MARGIN, 40.0, 11.0, title);
        ink(surface, GREY);
        let name: String = meta.vault_name.chars().take(90).collect();
        let right = WIDTH - MARGIN - regular.width(&name, 9.0);
        regular.draw(surface, right, 40.0, 9.0, &name);
        ink(surface, HEAD);
        fill(surface, MARGIN, TOP - 22.0, WIDTH - 2.0 * MARGIN, 18.0);
        ink(surface, (255, 255, 255));
        let mut x = MARGIN;
        for (name, width) in COLUMNS {
            let label = match name {
                "time" => self.lang.pick("Heure (UTC)", "Time (UTC)"),
                name => words::shared(name, self.lang),
            };
            bold.draw(surface, x + PAD, TOP - 10.0, SIZE, label);
            x += width;
        }
    }

    fn paint(&self, surface: &mut Surface<'_>, row: &Row, y: f32, banded: bool) {
        let Faces { regular, mono, .. } = &self.faces;
        let width = WIDTH - 2.0 * MARGIN;
        if banded {
            ink(surface, BAND);
            fill(surface, MARGIN, y, width, row.height);
        }
        let mut x = MARGIN;
        for (i, (cell, (_, width))) in row.cells.iter().zip(COLUMNS).enumerate() {
            ink(surface, if i == 2 && !row.ok { RED } else { BLACK });
            for (n, line) in cell.iter().enumerate() {
                let baseline = y + PAD + SIZE * 0.93 + n as f32 * LEADING;
                regular.draw(surface, x + PAD, baseline, SIZE, line);
            }
            x += width;
        }
        ink(surface, GREY);
        let (left, base) = (MARGIN + COLUMNS[0].1 + PAD, y + row.height - PAD);
        mono.draw(surface, left, base, HASH_SIZE, &row.hash);
        ink(surface, RULE);
        fill(surface, MARGIN, y + row.height - 0.3, width, 0.3);
    }

    /// Foot of every page: fingerprint, checkpoint, page number.
    fn frame(&self, surface: &mut Surface<'_>, number: usize, total: usize) {
        let (meta, Faces { regular, mono, .. }) = (self.meta, &self.faces);
        let y = HEIGHT - 46.0;
        ink(surface, RULE);
        fill(surface, MARGIN, y - 11.0, WIDTH - 2.0 * MARGIN, 0.5);
        ink(surface, GREY);
        let mut page = format!("{number} / {total}");
        if self.parts > 1 {
            let file = self.lang.pick("fichier", "file");
            page = format!("{file} {} / {} – {page}", self.part, self.parts);
        }
        regular.draw(surface, WIDTH - MARGIN - regular.width(&page, 8.0), y, 8.0, &page);
        let label = self.lang.pick("Empreinte du coffre", "Vault fingerprint");
        regular.draw(surface, MARGIN, y, 6.4, label);
        mono.draw(surface, MARGIN + 74.0, y, 6.0, &meta.fingerprint());
        let label = self.lang.pick("Point de contrôle", "Checkpoint");
        regular.draw(surface, MARGIN, y + 9.0, 6.4, label);
        let (head, signature) = meta.note.split_once("\n\n").unwrap_or_default();
        mono.draw(surface, MARGIN + 74.0, y + 9.0, 6.0, &head.replace('\n', " · "));
        for (i, line) in
            mono.wrap(signature, 4.8, WIDTH - 2.0 * MARGIN - 74.0).iter().take(2).enumerate()
        {
            mono.draw(surface, MARGIN + 74.0, y + 17.0 + 6.5 * i as f32, 4.8, line);
        }
    }
}
