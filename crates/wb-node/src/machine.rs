//! What people call this computer: to tell two of them apart in a list.

/// Characters of a name that are kept.
const CHARS_MAX: usize = 63;

/// The name of this computer, as far as it says one.
#[must_use]
pub fn label() -> String {
    let named = ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .into_iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .find(|text| !text.trim().is_empty());
    let name = named.or_else(|| std::env::var("HOSTNAME").ok());
    let name = name.unwrap_or_default();
    let plain = name.trim().chars().filter(|c| !c.is_control());
    let name: String = plain.take(CHARS_MAX).collect();
    if name.is_empty() {
        "this computer".to_owned()
    } else {
        name
    }
}
