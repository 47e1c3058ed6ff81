//! A network's name stands for what its DNS seeds give: each address once, whichever seeds give it, and a seed that
//! fails or hangs takes none of the others with it.

use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use p2pprobe::networks::Networks;
use p2pprobe::report::{Failure, ResolveError};
use p2pprobe::source::{self, Input, Item, LookUp, Source, line};
use p2pprobe::stop;
use p2pprobe::target::bitcoin::{Asked, Bitcoin, Candidates};
use p2pprobe::target::{Families, Said, Targets};
use tokio::sync::mpsc::Receiver;
use tokio::time::Instant;

const BOTH: Families = Families { v4: true, v6: true };
const TIMEOUT: Duration = Duration::from_secs(2);

/// A resolver that knows some seeds: `slow` takes a second, `hang…` never answers, `bad…` fails.
#[derive(Clone, Default)]
struct Scripted {
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl LookUp for Scripted {
    async fn look_up(&self, name: String) -> io::Result<Vec<IpAddr>> {
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(open, Ordering::SeqCst);
        let (name, _) = name.split_once('.').expect("a seed's name has a dot");
        match name {
            "slow" => tokio::time::sleep(Duration::from_secs(1)).await,
            name if name.starts_with("hang") => std::future::pending().await,
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
        self.open.fetch_sub(1, Ordering::SeqCst);
        let found: &[&str] = match name {
            "one" => &["192.0.2.1", "192.0.2.2", "192.0.2.1"],
            "two" => &["192.0.2.2", "192.0.2.3", "::ffff:192.0.2.1"],
            "slow" => &["192.0.2.4", "192.0.2.1"],
            "six" => &["2001:db8::1", "192.0.2.1"],
            "only6" => &["2001:db8::2"],
            name if name.starts_with("bad") => return Err(io::Error::other("no such name")),
            name if name.starts_with("many") => {
                let number: u8 = name[4..].parse().expect("a number");
                return Ok((0..20).map(|host| IpAddr::from([10, 0, number, host])).collect());
            }
            _ => &[],
        };
        Ok(found.iter().map(|ip| ip.parse().expect("an address")).collect())
    }
}

struct Begun {
    items: Receiver<Item<Candidates>>,
    stop: stop::StopSender,
    look_up: Scripted,
}

/// Begins with a network of these seeds, called `mine`, and these targets.
fn begin(seeds: &[&str], targets: &[&str], families: Families) -> Begun {
    let seeds: Vec<_> = seeds.iter().map(|seed| format!("\"{seed}.example.org\"")).collect();
    let text =
        format!("[bitcoin.mine]\nmagic = \"00c0ffee\"\nport = 7\nseeds = [{}]\n", seeds.join(", "));
    let networks = Arc::new(networks(&text));
    let network = networks.bitcoin("mainnet").expect("a network");
    let bitcoin = Bitcoin { networks, asked: Asked::One { network, said: false } };
    let input = |text: &&str| {
        let read = |text: &str, said: Said<'_>| bitcoin.parse(text, said);
        Input::Argument(line::argument(text, read).expect("a target"))
    };
    let inputs = targets.iter().map(input).collect();
    let (sender, stop) = stop::channel();
    let look_up = Scripted::default();
    let Source { items, .. } =
        source::start(inputs, bitcoin, families, TIMEOUT, look_up.clone(), stop);
    Begun { items, stop: sender, look_up }
}

fn networks(text: &str) -> Networks {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::SeqCst);
    let path =
        std::env::temp_dir().join(format!("p2pprobe-seeds-{}-{number}.toml", std::process::id()));
    std::fs::File::create(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .expect("a file");
    let networks = Networks::with_file(&path).expect("a file of networks");
    std::fs::remove_file(&path).expect("it is there");
    networks
}

/// What the next item says: an address and its label, a seed that failed, or a target that did.
fn told(item: Item<Candidates>) -> String {
    match item {
        Item::Located(origin, located) => {
            assert_eq!(origin.target, located.to.to_string());
            assert_eq!(origin.network.as_deref(), Some("mine"));
            assert_eq!(located.peer[0].name.as_deref(), Some("mine"));
            let label = origin.label.as_deref().unwrap_or("-");
            format!("{} {}", origin.target, label.trim_end_matches(".example.org"))
        }
        Item::SeedFailed { seed, why } => {
            format!("{} {why:?}", seed.trim_end_matches(".example.org"))
        }
        Item::Failed(origin, Failure::Unresolved { host, why: ResolveError::NoSeed }) => {
            assert_eq!(host, origin.target);
            format!("{host} has no seed that answers")
        }
        Item::Failed(origin, failure) => format!("{} {}", origin.target, failure.kind()),
        Item::SeedsEnded { network, given } => format!("{} gave {given}", network.target),
        Item::Broken { file, error } => panic!("{file}: {error}"),
    }
}

/// What all items say, sorted, without the end of the seeds: it must tell how many addresses came.
async fn all(items: &mut Receiver<Item<Candidates>>) -> Vec<String> {
    let (mut found, mut addresses, mut ended) = (Vec::new(), 0, None);
    while let Some(item) = items.recv().await {
        match &item {
            Item::SeedsEnded { given, .. } => {
                ended = Some(*given);
                continue;
            }
            Item::Located(..) => addresses += 1,
            _ => {}
        }
        // Nothing comes behind the end.
        assert_eq!(ended, None, "{item:?}");
        found.push(told(item));
    }
    assert_eq!(ended, (addresses > 0).then_some(addresses));
    found.sort();
    found
}

async fn of(seeds: &[&str], families: Families) -> Vec<String> {
    all(&mut begin(seeds, &["mine"], families).items).await
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn each_address_comes_once_and_is_labelled_with_its_seed() {
    let found = of(&["one", "two"], BOTH).await;
    let ips: Vec<_> = found.iter().filter_map(|told| told.split(' ').next()).collect();
    assert_eq!(ips, ["192.0.2.1:7", "192.0.2.2:7", "192.0.2.3:7"]);
    // The second one is known to both of them.
    assert_eq!((&found[0][..], &found[2][..]), ("192.0.2.1:7 one", "192.0.2.3:7 two"));
    assert!(["192.0.2.2:7 one", "192.0.2.2:7 two"].contains(&&found[1][..]), "{found:?}");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_seed_that_fails_is_told_and_the_others_give_what_they_have() {
    let found = of(&["bad", "one", "empty"], BOTH).await;
    let expected =
        ["192.0.2.1:7 one", "192.0.2.2:7 one", "bad Said(\"no such name\")", "empty Nothing"];
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn without_any_seed_that_answers_the_network_itself_is_unresolved() {
    let found = of(&["bad1", "empty", "bad2"], BOTH).await;
    let expected = [
        "bad1 Said(\"no such name\")",
        "bad2 Said(\"no such name\")",
        "empty Nothing",
        "mine has no seed that answers",
    ];
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn only_families_that_are_in_use() {
    let v4 = Families { v4: true, v6: false };
    let v6 = Families { v4: false, v6: true };
    let seeds = ["six", "only6"];
    assert_eq!(
        of(&seeds, BOTH).await,
        ["192.0.2.1:7 six", "[2001:db8::1]:7 six", "[2001:db8::2]:7 only6"]
    );
    assert_eq!(of(&seeds, v4).await, ["192.0.2.1:7 six", "only6 Family"]);
    assert_eq!(of(&seeds, v6).await, ["[2001:db8::1]:7 six", "[2001:db8::2]:7 only6"]);
    assert_eq!(of(&["only6"], v4).await, ["mine has no seed that answers", "only6 Family"]);
    assert_eq!(of(&["two"], v6).await, ["mine has no seed that answers", "two Family"]);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_seed_that_hangs_ends_by_the_timeout_and_holds_up_nobody() {
    let mut begun = begin(&["hang", "one", "slow"], &["mine"], BOTH);
    let began = Instant::now();
    let mut came = Vec::new();
    while let Some(item) = begun.items.recv().await {
        came.push((began.elapsed().as_millis(), told(item)));
    }
    let came: Vec<_> = came.iter().map(|(at, told)| (at / 100, &told[..])).collect();
    let expected = [
        (0, "192.0.2.1:7 one"),
        (0, "192.0.2.2:7 one"),
        (10, "192.0.2.4:7 slow"),
        (20, "hang Timeout(2s)"),
        (20, "mine gave 3"),
    ];
    assert_eq!(came, expected);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn targets_behind_a_network_do_not_wait_for_its_seeds() {
    let mut begun = begin(&["hang"], &["mine", "192.0.2.9:9"], BOTH);
    let began = Instant::now();
    let Some(Item::Located(origin, _)) = begun.items.recv().await else { panic!("an address") };
    assert_eq!(origin.target, "192.0.2.9:9");
    assert!(began.elapsed() < Duration::from_millis(100));
    let rest = all(&mut begun.items).await;
    assert_eq!(rest, ["hang Timeout(2s)", "mine has no seed that answers"]);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn seeds_are_looked_up_a_bounded_number_at_a_time() {
    let names: Vec<_> = (0..40).map(|number| format!("many{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let mut begun = begin(&names, &["mine"], BOTH);
    assert_eq!(all(&mut begun.items).await.len(), 40 * 20);
    assert_eq!(begun.look_up.most.load(Ordering::SeqCst), 16);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_network_that_is_stopped_before_any_address_is_interrupted() {
    let mut begun = begin(&["hang1", "hang2"], &["mine"], BOTH);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let stopped = Instant::now();
    begun.stop.request();
    assert_eq!(all(&mut begun.items).await, ["mine interrupted"]);
    assert!(stopped.elapsed() < Duration::from_millis(100));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_network_that_is_stopped_after_some_addresses_gives_those_alone() {
    let mut begun = begin(&["hang", "one"], &["mine"], BOTH);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let stopped = Instant::now();
    begun.stop.request();
    assert_eq!(all(&mut begun.items).await, ["192.0.2.1:7 one", "192.0.2.2:7 one"]);
    assert!(stopped.elapsed() < Duration::from_millis(100));
}
