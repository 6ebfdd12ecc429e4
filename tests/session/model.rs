//! Everything interleaved with everything. The invariants are the world's and the watch's; what is random here is what
//! the person, the browser, the device and the server do.

use evenkeel::core::session::{Status, User};

use super::script::*;
use super::server::Mood;
use super::world::{LATENCY_MAX, World};

const TABS_MAX: usize = 6;
/// No answer is quicker than two words among the tabs.
const LATENCY_MIN: u64 = 3 * LATENCY_MAX;

/// What may happen in a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weather {
    /// Tabs come, go and are used, people sign in and out, the server has its moods.
    Fair,
    /// And tabs are frozen, throttled and killed, the device sleeps.
    Rough,
    /// And words are lost, and the clock is set.
    Foul,
}

fn happen(world: &mut World, weather: Weather) {
    let mut rng = world.rng.fork();
    let tab = rng.usize(0..TABS_MAX);
    let alive = world.tabs.get(tab).is_some_and(|tab| tab.alive);
    let runs = alive && world.tabs[tab].runs();
    let person = [ANNE, BERT, SOMEBODY][rng.usize(0..3)];
    let rough = weather != Weather::Fair;
    let long = rng.bool();
    match rng.u32(0..46) {
        0..3 if world.tabs.len() < TABS_MAX => drop(world.open(rng.bool())),
        3 if world.tabs.len() < TABS_MAX => drop(world.open_rendered(rng.bool())),
        4 if runs => world.close(tab),
        5..7 if runs => {
            world.throttle(tab, 1);
            world.show(tab, rng.bool());
        }
        7..10 if runs => world.act(tab),
        10 if runs => world.away(tab, true),
        11..13 if alive && world.tabs[tab].away => world.away(tab, false),
        13..17 if runs => world.request(tab),
        17 => world.nudge(rng.bool().then_some(tab)),
        18..20 if runs => world.sign_out(tab),
        20..22 => world.server.cookie = Some(person),
        22 => world.server.cookie = None,
        23 if runs => {
            // Somebody signs in, here.
            world.server.cookie = Some(person);
            world.nudge(None);
        }
        24..26 => world.server.mood = [Mood::Blind, Mood::Broken, Mood::Silent][rng.usize(0..3)],
        26..29 => world.server.mood = Mood::Well,
        29 => world.server.latency = LATENCY_MIN + rng.u64(0..12 * SECOND),
        30 => world.server.latency = LATENCY_MIN + rng.u64(0..SECOND),
        31 => {
            world.server.sign_out_takes = LATENCY_MIN + rng.u64(0..if long { MINUTE } else { SECOND });
            world.server.refuses = rng.bool();
        }
        32 => world.server.retry_after = rng.bool().then(|| rng.u64(0..2 * MINUTE)),
        33 => world.server.lasts = rng.bool().then(|| rng.u64(SECOND..20 * MINUTE)),
        34 if runs => world.network(tab, rng.bool()),
        35 if rough && runs => world.freeze(tab),
        36..38 if rough && alive && world.tabs[tab].frozen && !world.tabs[tab].away => world.thaw(tab),
        38 if rough && alive => world.kill(tab),
        39 if rough => world.sleep(rng.u64(0..if long { 10 * HOUR } else { MINUTE })),
        40 if rough && runs => world.throttle(tab, if world.tabs[tab].visible { 1 } else { THROTTLED }),
        41 if weather == Weather::Foul => world.lost_of_100 = [0, 5, 100][rng.usize(0..3)],
        42 if weather == Weather::Foul => world.set_clock(rng.i64(-(HOUR as i64)..HOUR as i64)),
        _ => {}
    }
    let spans = [20, 20, 200, 3 * SECOND, 20 * SECOND, 6 * MINUTE];
    let span = spans[rng.usize(0..spans.len())];
    world.run(rng.u64(0..span));
}

/// After the last fault: every page that runs shows what the server says.
fn settle(world: &mut World) {
    world.lost_of_100 = 0;
    world.server.mood = Mood::Well;
    (world.server.latency, world.server.lasts, world.server.retry_after) = (100, None, None);
    for tab in 0..world.tabs.len() {
        world.throttle(tab, 1);
    }
    // A clock that was set back stands still once, so somebody is active more than once.
    for _ in 0..3 {
        world.run(IDLE_MOST);
        let running: Vec<usize> = (0..world.tabs.len()).filter(|tab| world.tabs[*tab].runs()).collect();
        running.into_iter().for_each(|tab| world.act(tab));
    }
    world.run(IDLE_MOST + MINUTE);
    let (status, user) = truth(world.server.cookie);
    world.assert_all(status, user);
    let running = world.tabs.iter().filter(|tab| tab.runs()).count();
    assert_eq!(world.leaders().len(), running.min(1));
}

fn truth(cookie: Option<User>) -> (Status, Option<User>) {
    (cookie.map_or(Status::SignedOut, |_| Status::Authenticated), cookie)
}

/// Then nothing happens any more, and somebody types: one question in an interval.
fn calm(world: &mut World) {
    let Some(leader) = world.leaders().first().copied() else { return };
    if world.server.cookie.is_none() {
        return;
    }
    if !world.tabs[leader].visible {
        world.show(leader, true);
        world.run(MINUTE);
    }
    world.forget();
    world.run_active(leader, 5 * ACTIVE);
    let asked = world.asked.len();
    assert!((4..=6).contains(&asked), "asked {asked} times in five intervals");
    assert!(world.asked.iter().all(|(_, tab)| *tab == leader), "one tab asks for all");
}

fn story(seed: u64, weather: Weather) -> World {
    let mut rng = fastrand::Rng::with_seed(!seed);
    let cookie = [None, Some(ANNE), Some(ANNE), Some(BERT)][rng.usize(0..4)];
    let mut world = World::seeded(seed, cookie);
    world.mark = cookie.is_some() && rng.bool();
    world.open(true);
    for _ in 0..rng.usize(5..40) {
        happen(&mut world, weather);
    }
    world
}

fn stories(count: u64, weather: Weather, end: impl Fn(&mut World)) {
    for seed in 0..count {
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut world = story(seed, weather);
            end(&mut world);
        }));
        assert!(told.is_ok(), "in story {seed} of {weather:?}");
    }
}

#[test]
fn whatever_people_and_servers_do_every_tab_ends_with_the_truth() {
    stories(8_000, Weather::Fair, |world| {
        settle(world);
        assert_eq!(world.server.revived, [], "no late answer signs anybody in again");
    });
}

#[test]
fn whatever_becomes_of_the_tabs_every_one_that_runs_ends_with_the_truth() {
    stories(6_000, Weather::Rough, settle);
}

#[test]
fn whatever_is_lost_on_the_way_the_truth_is_found_again() {
    stories(4_000, Weather::Foul, settle);
}

#[test]
fn after_any_story_one_tab_asks_once_in_an_interval() {
    stories(2_000, Weather::Rough, |world| {
        settle(world);
        calm(world);
    });
}
