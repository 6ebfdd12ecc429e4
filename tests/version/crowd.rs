//! What a deploy under many open pages does to the server.

use std::collections::BTreeMap;

use evenkeel::core::random::Random;
use evenkeel::core::time::Timestamp;
use evenkeel::core::version::{Around, Mode, Prepared, Unsaved, Version, VersionOutput};

use super::world::{LATENCY, MINUTE, SECOND, SPREAD, settings};

const PAGES: usize = 13_000;
/// A new version, as a number of the host's.
const NEWER: u32 = 2;

#[derive(Clone, Copy)]
enum Event {
    Wake,
    Header,
    Answer,
    Ready,
}

/// A visible page with nothing unsaved.
fn around(now: u64, random: &mut Random) -> Around<'_> {
    Around { now: Timestamp(now), random, online: true, visible: true, unsaved: Unsaved::default() }
}

/// Requests in each second since the deploy.
struct Load {
    checks: Vec<u32>,
    reloads: Vec<u32>,
}

/// Visible, idle pages, each of which meets a header of the new version within so long.
fn deploy(within: u64) -> Load {
    let (mut random, start) = (Random::new(7), MINUTE);
    let mut pages: Vec<Version> =
        (0..PAGES).map(|_| Version::new(settings(), Some(Vec::new()), &mut around(0, &mut random))).collect();
    let mut rng = fastrand::Rng::with_seed(7);
    let mut events = BTreeMap::new();
    let mut arrivals = 0;
    let mut timers = vec![None; PAGES];
    let mut soon = |events: &mut BTreeMap<_, _>, at: u64, page: usize, event: Event| {
        arrivals += 1;
        events.insert((at, arrivals), (page, event));
    };
    for page in 0..PAGES {
        soon(&mut events, start + rng.u64(0..=within), page, Event::Header);
    }
    let mut load = Load { checks: vec![0; 60], reloads: vec![0; 60] };
    let mut reloaded = 0;
    while reloaded < PAGES {
        let ((now, _), (page, event)) = events.pop_first().expect("an event, while a page is old");
        if matches!(event, Event::Wake) && timers[page] != Some(now) {
            continue;
        }
        let (version, around) = (&mut pages[page], &mut around(now, &mut random));
        match event {
            Event::Wake => {}
            Event::Header => version.seen(NEWER, Mode::Reload, around),
            Event::Answer => version.checked(Some((NEWER, Mode::Reload)), around),
            Event::Ready => version.prepared(Prepared::Ready, around),
        }
        version.wake(around);
        let second = ((now - start) / SECOND) as usize;
        while let Some(output) = version.poll() {
            match output {
                VersionOutput::Check => {
                    load.checks[second] += 1;
                    soon(&mut events, now + LATENCY, page, Event::Answer);
                }
                VersionOutput::Prepare(_) => soon(&mut events, now + LATENCY, page, Event::Ready),
                VersionOutput::Reload(..) => {
                    load.reloads[second] += 1;
                    reloaded += 1;
                }
                _ => {}
            }
        }
        timers[page] = version.next_wake().map(|at| at.0);
        if let Some(at) = timers[page] {
            soon(&mut events, at.max(now), page, Event::Wake);
        }
    }
    load
}

fn peak(seconds: &[u32]) -> u32 {
    seconds.iter().copied().max().unwrap_or(0)
}

#[test]
fn thirteen_thousand_pages_take_the_whole_spread_to_reload() {
    for within in [0, 3 * SECOND, 10 * SECOND] {
        let load = deploy(within);
        let (checks, reloads) = (peak(&load.checks), peak(&load.reloads));
        let last = load.reloads.iter().rposition(|count| *count > 0).expect("reloads");
        println!("headers within {within} ms: {checks} checks/s, {reloads} reloads/s at most, all done after {last} s");
        assert_eq!(load.checks.iter().sum::<u32>(), PAGES as u32, "one check each");
        assert!(reloads as usize <= PAGES * 12 / 10 / (SPREAD / SECOND) as usize, "{reloads}");
        assert!(last as u64 <= (within + SPREAD) / SECOND + 1, "{last}");
    }
}
