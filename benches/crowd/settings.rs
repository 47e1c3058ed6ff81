//! What a crowd is made of, and what becomes of what it sends.

use std::time::Duration;

use super::peers::{Draw, draw, falls_to};

/// How many rounds of exchanges pass for each one in which some are lost.
const REST: u64 = 4;

/// All that decides what each peer does.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Settings {
    /// What everything is drawn from: another seed makes another crowd
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    pub shares: Shares,
    #[command(flatten)]
    pub weather: Weather,
}

/// Of how many of a thousand peers, or lines, something is true. Those of whom nothing is said here answer as they
/// should.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Shares {
    /// Peers that say nothing, of a thousand
    #[arg(long, default_value_t = Shares::DEFAULT.silent)]
    pub silent: u32,
    /// Peers whose port is closed
    #[arg(long, default_value_t = Shares::DEFAULT.refusing)]
    pub refusing: u32,
    /// Peers that lie in one way or another
    #[arg(long, default_value_t = Shares::DEFAULT.lying)]
    pub lying: u32,
    /// Peers that answer in an odd way
    #[arg(long, default_value_t = Shares::DEFAULT.odd)]
    pub odd: u32,
    /// Peers that answer, and ping back where they can
    #[arg(long, default_value_t = Shares::DEFAULT.pinging)]
    pub pinging: u32,
    /// Lines that name no target
    #[arg(long, default_value_t = Shares::DEFAULT.bad_lines)]
    pub bad_lines: u32,
}

/// What happens to what is sent.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Weather {
    /// Peers whose exchanges are lost at times, of a thousand
    #[arg(long, default_value_t = 0)]
    pub lossy: u32,
    /// How many exchanges of such a peer are lost in a row at the most; one more try gets an answer
    #[arg(long, default_value_t = 1)]
    pub max_lost: u32,
    /// Peers each of whose Pongs comes twice, of a thousand
    #[arg(long, default_value_t = 0)]
    pub duplicated: u32,
    /// Peers whose lost Pongs come after all, behind the next one, of a thousand
    #[arg(long, default_value_t = 0)]
    pub reordered: u32,
    /// How long each answer takes
    #[arg(long, default_value = "0s", value_parser = humantime::parse_duration)]
    pub delay: Duration,
    /// How much longer it may take, drawn anew for each
    #[arg(long, default_value = "0s", value_parser = humantime::parse_duration)]
    pub jitter: Duration,
}

/// What a peer is on the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Good,
    Odd,
    Lying,
    Silent,
    Refusing,
    Pinging,
}

impl Shares {
    const DEFAULT: Shares =
        Shares { silent: 300, refusing: 100, lying: 50, odd: 100, pinging: 0, bad_lines: 20 };

    /// All answer as they should.
    pub const GOOD: Shares =
        Shares { silent: 0, refusing: 0, lying: 0, odd: 0, pinging: 0, bad_lines: 0 };

    /// The group of a peer.
    pub fn group(&self, seed: u64, number: u32) -> Group {
        let mut drawn = draw(seed, number, Draw::Group) % 1000;
        for (share, group) in [
            (self.silent, Group::Silent),
            (self.refusing, Group::Refusing),
            (self.lying, Group::Lying),
            (self.odd, Group::Odd),
            (self.pinging, Group::Pinging),
        ] {
            match drawn.checked_sub(share.into()) {
                Some(rest) => drawn = rest,
                None => return group,
            }
        }
        Group::Good
    }
}

impl Default for Shares {
    fn default() -> Self {
        Shares::DEFAULT
    }
}

impl Weather {
    /// No weather at all.
    pub const FAIR: Weather = Weather {
        lossy: 0,
        max_lost: 1,
        duplicated: 0,
        reordered: 0,
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
    };

    /// Whether the exchange of this number with a peer is lost: never more than `max_lost` of them in a row, wherever
    /// one begins to count, and no further ones soon. So a try that comes too late on a busy machine does no harm.
    pub fn loses(&self, seed: u64, number: u32, nth: u32) -> bool {
        let most = u64::from(self.max_lost);
        most > 0
            && falls_to(seed, number, Draw::Lossy, self.lossy)
            && u64::from(nth) % (REST * (most + 1)) < draw(seed, number, Draw::Lost) % most + 1
    }

    /// Whether what the peer sends comes twice.
    pub fn duplicates(&self, seed: u64, number: u32) -> bool {
        falls_to(seed, number, Draw::Duplicated, self.duplicated)
    }

    /// Whether what is lost of the peer's comes after all, too late.
    pub fn reorders(&self, seed: u64, number: u32) -> bool {
        falls_to(seed, number, Draw::Reordered, self.reordered)
    }

    /// How long the answer in the exchange of this number takes; `copy` tells apart what is sent in one.
    pub fn delay(&self, seed: u64, number: u32, nth: u32, copy: u32) -> Duration {
        if self.jitter.is_zero() {
            return self.delay;
        }
        let drawn = draw(seed ^ u64::from(nth << 8 | copy), number, Draw::Jitter);
        self.delay + self.jitter.mul_f64(drawn as f64 / u64::MAX as f64)
    }
}

impl Default for Weather {
    fn default() -> Self {
        Weather::FAIR
    }
}
