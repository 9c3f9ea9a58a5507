//! Everything that is looked into: files, what passed, what was answered, what was written, what is in memory.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::canaries::Zone;
use super::cast::World;
use super::visitor::Answer;
use crate::support::wire::layers::{inside, layers};
use crate::support::wire::recorder::{Connection, Recorder};

/// Bytes, and where they are.
pub struct Place {
    pub zone: Zone,
    pub name: String,
    pub bytes: Vec<u8>,
}

/// How much had passed on each connection at some moment, when no message was under way.
pub struct Mark(Vec<Vec<(usize, usize)>>);

impl World {
    fn recorders(&self) -> [(&'static str, &Recorder); 3] {
        [
            ("before the proxy", &self.front),
            ("behind the proxy", &self.back),
            ("before North", &self.direct),
        ]
    }

    /// What passed until now.
    pub fn mark(&self) -> Mark {
        let sizes = |recorder: &Recorder| {
            let connections = recorder.connections();
            connections
                .iter()
                .map(|one| (one.asked.len(), one.answered.len()))
                .collect()
        };
        Mark(
            self.recorders()
                .iter()
                .map(|(_, recorder)| sizes(recorder))
                .collect(),
        )
    }

    /// Everything that passed since a mark, with all layers undone.
    pub fn wire(&self, since: Option<&Mark>) -> Vec<Place> {
        let mut places = Vec::new();
        for (which, (name, recorder)) in self.recorders().iter().enumerate() {
            for (number, connection) in recorder.connections().iter().enumerate() {
                let (asked, answered) = since
                    .and_then(|mark| mark.0[which].get(number).copied())
                    .unwrap_or_default();
                let rest = Connection {
                    asked: connection.asked[asked..].to_vec(),
                    answered: connection.answered[answered..].to_vec(),
                    is_cut: connection.is_cut,
                };
                for (layer, bytes) in rest.layers() {
                    let name = format!("what passed {name}, connection {number}: {layer}");
                    places.push(Place {
                        zone: Zone::Wire,
                        name,
                        bytes,
                    });
                }
            }
        }
        places
    }

    /// Every file of everybody, with what is packed in it.
    pub fn files(&self) -> Vec<Place> {
        let mut places = Vec::new();
        for (zone, instance) in [
            (Zone::North, &self.north),
            (Zone::East, &self.east),
            (Zone::South, &self.south),
            (Zone::Crow, &self.crow),
            (Zone::Hub, &self.hub),
            (Zone::Stranger, &self.fox),
        ] {
            below(&instance.home, zone, false, &mut places);
        }
        below(self.proxy.folder(), Zone::Proxy, true, &mut places);
        places.extend(self.stick());
        below(&self.path("carried"), Zone::Carried, true, &mut places);
        below(&self.path("tmp"), Zone::Temp, true, &mut places);
        below(&self.path("backups"), Zone::Backup, true, &mut places);
        places
    }

    /// What lies on the stick.
    pub fn stick(&self) -> Vec<Place> {
        let mut places = Vec::new();
        below(&self.path("stick"), Zone::Stick, true, &mut places);
        places
    }

    /// What the programs that stay up wrote.
    pub fn logs(&self) -> Vec<Place> {
        let now = self.served.iter().map(|served| served.up.said());
        let all = self.said.iter().cloned().chain(now).enumerate();
        let place = |(number, said): (usize, String)| Place {
            zone: Zone::Log,
            name: format!("what program {number} wrote"),
            bytes: said.into_bytes(),
        };
        all.map(place).collect()
    }

    /// What the processes of hub and proxy hold in memory.
    pub fn memory(&self) -> Vec<Place> {
        let hub = [(Zone::HubMemory, self.served[0].up.pid())];
        let proxy = self.proxy.pids().into_iter().map(|pid| (Zone::Proxy, pid));
        hub.into_iter()
            .chain(proxy)
            .flat_map(|(zone, pid)| memory_of(zone, pid))
            .collect()
    }
}

/// Answers as places, with all layers undone.
pub fn answers(zone: Zone, who: &str, all: &[Answer]) -> Vec<Place> {
    let mut places = Vec::new();
    for answer in all {
        for (layer, bytes) in layers(&answer.bytes) {
            let name = format!("what {who} was answered to {}: {layer}", answer.asked);
            places.push(Place { zone, name, bytes });
        }
    }
    places
}

fn below(folder: &Path, zone: Zone, is_undone: bool, places: &mut Vec<Place>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            below(&path, zone, is_undone, places);
            continue;
        }
        // A proxy and a database remove files while we look.
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        let name = path.display().to_string();
        if is_undone {
            for (layer, bytes) in inside(&bytes) {
                let name = format!("{name}: {layer}");
                places.push(Place { zone, name, bytes });
            }
        } else {
            places.push(Place { zone, name, bytes });
        }
    }
}

/// How many bytes are looked at together; what is zero all through is left out.
const PAGE_BYTES: usize = 4096;

/// All that a process may write to: its heaps and stacks.
fn memory_of(zone: Zone, pid: u32) -> Vec<Place> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"));
    let Ok(mut memory) = File::open(format!("/proc/{pid}/mem")) else {
        return Vec::new();
    };
    let mut places = Vec::new();
    for line in maps.unwrap_or_default().lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let Some((start, end)) = range.split_once('-') else {
            continue;
        };
        let bound = |digits| u64::from_str_radix(digits, 16).expect("an address");
        let (start, end) = (bound(start), bound(end));
        if !rights.starts_with("rw") || memory.seek(SeekFrom::Start(start)).is_err() {
            continue;
        }
        let mut page = vec![0; PAGE_BYTES];
        let mut bytes = Vec::new();
        for _ in 0..(end - start) / PAGE_BYTES as u64 {
            if memory.read_exact(&mut page).is_err() {
                break;
            }
            if page.iter().any(|byte| *byte != 0) {
                bytes.extend_from_slice(&page);
            }
        }
        let name = format!("memory of process {pid} at {range}");
        places.push(Place { zone, name, bytes });
    }
    places
}
