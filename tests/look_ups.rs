//! Names are looked up a bounded number at a time, and one that gets no answer holds up no other.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use p2pprobe::report::{Failure, ResolveError};
use p2pprobe::source::{self, Input, Item, LookUp, Source, line};
use p2pprobe::stop;
use p2pprobe::target::Families;
use p2pprobe::target::ethereum::{Ethereum, Node, parse};
use tokio::sync::mpsc::Receiver;

const BOTH: Families = Families { v4: true, v6: true };
/// How many names are looked up at once.
const AT_ONCE: usize = 16;

/// A resolver that knows `v4…`, `v6…`, `both…`, `none…`, refuses `bad…` and never answers `hang…`.
#[derive(Clone, Default)]
struct Scripted {
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl LookUp for Scripted {
    async fn look_up(&self, name: String) -> io::Result<Vec<IpAddr>> {
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(open, Ordering::SeqCst);
        if name.starts_with("hang") {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        self.open.fetch_sub(1, Ordering::SeqCst);
        let (v4, v6) = ("192.0.2.1", "2001:db8::1");
        let found: &[&str] = match name.as_str() {
            name if name.starts_with("v4") => &[v4],
            name if name.starts_with("v6") => &[v6],
            name if name.starts_with("both") => &[v6, v4],
            name if name.starts_with("mapped") => &["::ffff:192.0.2.1"],
            name if name.starts_with("bad") => return Err(io::Error::other("no such name")),
            _ => &[],
        };
        Ok(found.iter().map(|ip| ip.parse().expect("an address")).collect())
    }
}

struct Asked {
    items: Receiver<Item<Node>>,
    stop: stop::StopSender,
    look_up: Scripted,
}

fn ask(names: impl IntoIterator<Item = String>, families: Families, timeout: Duration) -> Asked {
    let look_up = Scripted::default();
    let (sender, stop) = stop::channel();
    let input = |name: String| {
        Input::Argument(line::argument(&name, |text, _| parse(text)).expect("a target"))
    };
    let inputs = names.into_iter().map(input).collect();
    let targets = Ethereum::default();
    let Source { items, .. } =
        source::start(inputs, targets, families, timeout, look_up.clone(), stop);
    Asked { items, stop: sender, look_up }
}

/// Target and outcome of all items.
async fn all(items: &mut Receiver<Item<Node>>) -> HashMap<String, String> {
    let mut found = HashMap::new();
    while let Some(item) = items.recv().await {
        let (origin, outcome) = match item {
            Item::Located(origin, located) => (origin, located.to.to_string()),
            Item::Failed(origin, failure) => (origin, of(&failure)),
            Item::Broken { file, error } => panic!("{file}: {error}"),
            Item::SeedFailed { .. } | Item::SeedsEnded { .. } => panic!("a seed"),
        };
        let before = found.insert(origin.target.clone(), outcome);
        assert_eq!(before, None, "{} came twice", origin.target);
    }
    found
}

fn of(failure: &Failure) -> String {
    match failure {
        Failure::Unresolved { why: ResolveError::Timeout(_), .. } => "timeout".to_owned(),
        Failure::Unresolved { why: ResolveError::Busy(_), .. } => "busy".to_owned(),
        Failure::Unresolved { why: ResolveError::Said(text), .. } => text.clone(),
        Failure::Unresolved { why, .. } => format!("{why:?}"),
        other => other.kind().to_owned(),
    }
}

fn pairs(expected: &[(&str, &str)]) -> HashMap<String, String> {
    expected.iter().map(|(name, of)| ((*name).to_owned(), (*of).to_owned())).collect()
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn no_more_than_sixteen_at_once() {
    let names = (0..100).map(|n| format!("v4.{n}.example:{}", n + 1));
    let mut asked = ask(names, BOTH, Duration::from_secs(2));
    let found = all(&mut asked.items).await;
    assert_eq!(found.len(), 100);
    for n in 0..100 {
        assert_eq!(found[&format!("v4.{n}.example:{}", n + 1)], format!("192.0.2.1:{}", n + 1));
    }
    assert_eq!(asked.look_up.most.load(Ordering::SeqCst), AT_ONCE);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn one_that_hangs_takes_its_own_time_only() {
    let timeout = Duration::from_secs(2);
    let names = (0..100).map(|n| if n == 3 { "hang:1".into() } else { format!("v4.n{n}:1") });
    let began = tokio::time::Instant::now();
    let mut asked = ask(names, BOTH, timeout);
    let found = all(&mut asked.items).await;
    assert_eq!(found["hang:1"], "timeout");
    assert_eq!(found.values().filter(|to| *to == "192.0.2.1:1").count(), 99);
    assert_eq!(began.elapsed().as_secs(), timeout.as_secs());
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_dead_resolver_fails_every_name_and_no_address() {
    let names = (0..100).map(|n| format!("hang.n{n}:1")).chain(["192.0.2.9:1".to_owned()]);
    let began = tokio::time::Instant::now();
    let mut asked = ask(names, BOTH, Duration::from_secs(2));
    let found = all(&mut asked.items).await;
    // Nobody is said to have been silent who was never asked.
    assert_eq!(found.values().filter(|of| *of == "timeout").count(), AT_ONCE);
    assert_eq!(found.values().filter(|of| *of == "busy").count(), 100 - AT_ONCE);
    // 48 wait at a time, so the address behind them waits for two timeouts and no more.
    assert_eq!(began.elapsed().as_secs(), 6);
    assert_eq!(found["192.0.2.9:1"], "192.0.2.9:1");
    assert_eq!(asked.look_up.most.load(Ordering::SeqCst), AT_ONCE);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn the_family_is_chosen_among_what_a_name_has() {
    let names = ["v4:1", "v6:1", "both:1", "mapped:1", "none:1", "bad:1"];
    let choose = async |v4, v6| {
        let names = names.map(String::from);
        all(&mut ask(names, Families { v4, v6 }, Duration::from_secs(2)).items).await
    };
    let (four, six) = ("192.0.2.1:1", "[2001:db8::1]:1");
    let with = |v4, v6, both, mapped| {
        let own = [("v4:1", v4), ("v6:1", v6), ("both:1", both), ("mapped:1", mapped)];
        pairs(&[&own[..], &[("none:1", "Nothing"), ("bad:1", "no such name")]].concat())
    };
    assert_eq!(choose(true, true).await, with(four, six, six, four));
    assert_eq!(choose(true, false).await, with(four, "Family", four, four));
    assert_eq!(choose(false, true).await, with("Family", six, six, "Family"));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn addresses_keep_their_order_and_pass_a_name_that_hangs() {
    let names = ["192.0.2.1:1", "hang:1", "192.0.2.2:1", "192.0.2.3:1"].map(String::from);
    let mut asked = ask(names, BOTH, Duration::from_secs(2));
    for expected in ["192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1"] {
        let item = asked.items.recv().await;
        assert!(
            matches!(&item, Some(Item::Located(origin, _)) if origin.target == expected),
            "{item:?}"
        );
    }
    assert_eq!(all(&mut asked.items).await, pairs(&[("hang:1", "timeout")]));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_stop_ends_every_look_up_at_once() {
    let names = (0..100).map(|n| format!("hang.n{n}:1"));
    let mut asked = ask(names, BOTH, Duration::from_secs(3600));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let stopped = tokio::time::Instant::now();
    asked.stop.request();
    let found = all(&mut asked.items).await;
    assert!(stopped.elapsed() < Duration::from_secs(1), "{:?}", stopped.elapsed());
    // What was begun by then, and no more than was on its way.
    assert!((48..=50).contains(&found.len()), "{}", found.len());
    assert!(found.values().all(|of| of == "interrupted"), "{found:?}");
}
