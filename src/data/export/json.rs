//! An export for machines: one document, or a line for each record.

use super::{Job, Section, Sheet};
use serde_json::{Map, Value, json};
use std::io::{self, Write};

fn head(job: &Job<'_>) -> Value {
    json!({
        "customer": job.customer,
        "exported_at": job.now.to_string(),
        "business": {
            "name": job.business.name,
            "postal_address": job.business.postal_address,
            "email": job.business.email,
            "phone": job.business.phone,
            "website": job.business.website,
        },
    })
}

/// One JSON document: `about`, then under `records` a list for each section.
pub struct Document<W> {
    out: W,
    sections: u64,
    records: u64,
}

impl<W: Write> Document<W> {
    pub fn new(out: W) -> Self {
        Self { out, sections: 0, records: 0 }
    }
}

impl<W: Write> Sheet for Document<W> {
    fn begin(&mut self, job: &Job<'_>) -> io::Result<()> {
        write!(self.out, "{{\"about\":{},\n\"records\":{{", head(job))
    }

    fn section(&mut self, section: &Section) -> io::Result<()> {
        let comma = if self.sections > 0 { "\n]," } else { "" };
        self.sections += 1;
        self.records = 0;
        write!(self.out, "{comma}\n{}:[", Value::from(section.name.as_str()))
    }

    fn record(&mut self, record: &Map<String, Value>) -> io::Result<()> {
        let comma = if self.records > 0 { "," } else { "" };
        self.records += 1;
        writeln!(self.out, "{comma}")?;
        serde_json::to_writer(&mut self.out, record).map_err(io::Error::from)
    }

    fn end(&mut self) -> io::Result<()> {
        let close = if self.sections > 0 { "\n]" } else { "" };
        writeln!(self.out, "{close}\n}}}}")?;
        self.out.flush()
    }
}

/// A line for each record: `{"record": section, "data": {…}}`; the first is `export`.
pub struct Lines<W> {
    out: W,
    section: String,
}

impl<W: Write> Lines<W> {
    pub fn new(out: W) -> Self {
        Self { out, section: String::new() }
    }
}

impl<W: Write> Sheet for Lines<W> {
    fn begin(&mut self, job: &Job<'_>) -> io::Result<()> {
        writeln!(self.out, "{}", json!({ "record": "export", "data": head(job) }))
    }

    fn section(&mut self, section: &Section) -> io::Result<()> {
        self.section.clone_from(&section.name);
        Ok(())
    }

    fn record(&mut self, record: &Map<String, Value>) -> io::Result<()> {
        writeln!(self.out, "{}", json!({ "record": self.section, "data": record }))
    }

    fn end(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
