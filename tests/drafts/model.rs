//! Everything with everything: two people, two devices, several tabs on each, and every fault that there is. At the end the
//! faults stop, and then it is asked what became of every text.

use std::collections::BTreeSet;

use evenkeel::core::draft::{Choice, Status};
use evenkeel::core::kind::Kind;
use proptest::prelude::*;

use super::device::Holder;
use super::server::{Answer, Fate};
use super::texts::{Text, User};
use super::world::{ANNE, BERT, MINUTE, PageId, SECOND, World};

const DEVICES: usize = 2;
const TABS_MAX: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Op {
    Edit,
    /// Something that was there before is typed again.
    Revert,
    Rerender,
    Flush,
    Restore,
    Clear,
    Resolve(bool),
    Show(bool),
    /// Into the back/forward cache, and back after so long.
    Freeze(u64),
    Reload,
    Leave,
    Kill,
    OpenTab,
    Network(bool),
    Fate(Fate),
    /// Who is signed in on that device.
    Sign(Option<User>),
    /// The cookie is another one, and no page knows.
    SignBehind(Option<User>),
    FillDisk(bool),
    Sleep(u64),
    Run(u64),
}

fn happen(world: &mut World, device: usize, pick: usize, op: Op) {
    let pages = world.pages_of(device);
    if pages.is_empty() {
        let known = pick.is_multiple_of(2);
        if known {
            world.open(device)
        } else {
            world.open_unknown(device)
        };
        return world.run(1);
    }
    let page = pages[pick % pages.len()];
    match op {
        Op::Edit => _ = world.edit(page),
        Op::Revert => revert(world, page, pick),
        Op::Rerender => world.rerender(page),
        Op::Flush => world.flush(page),
        Op::Restore => world.restore(page),
        Op::Clear => world.clear(page),
        Op::Resolve(mine) => world.resolve(page, if mine { Choice::Mine } else { Choice::Theirs }),
        Op::Show(visible) => world.show(page, visible),
        Op::Freeze(time) => {
            world.away(page, true);
            world.run(time);
            world.away(page, false);
        }
        Op::Reload => _ = world.reload(page),
        Op::Leave => world.leave(page),
        Op::Kill => world.kill(page),
        Op::OpenTab if pages.len() < TABS_MAX => _ = world.open_unknown(device),
        Op::OpenTab => {}
        Op::Network(online) => world.network(device, online),
        Op::Fate(fate) => world.server.fates.push_back(fate),
        Op::Sign(cookie) => world.sign(device, cookie),
        Op::SignBehind(cookie) => world.sign_behind(device, cookie),
        Op::FillDisk(full) => world.devices[device].full = full,
        Op::Sleep(time) => world.sleep(device, time),
        Op::Run(time) => world.run(time),
    }
}

/// A text that this page's person had before them, and that was not cleared.
fn revert(world: &mut World, page: PageId, pick: usize) {
    let Some(eyes) = world.pages[page].eyes else { return };
    let mine: Vec<Text> = (0..eyes)
        .filter(|text| world.texts.has_seen(eyes, *text) && world.texts.owner(*text) == world.texts.owner(eyes))
        .filter(|text| !world.texts.is_void(*text) && !world.texts.pending(*text))
        .collect();
    if let Some(text) = mine.get(pick % mine.len().max(1)) {
        world.give(page, *text);
    }
}

/// After the last fault everybody decides their conflicts, and everything comes to rest.
fn settle(world: &mut World) {
    world.server.fates.clear();
    world.slow_sessions = false;
    for user in [ANNE, BERT] {
        for device in 0..DEVICES {
            world.devices[device].full = false;
            world.network(device, true);
            world.sign(device, Some(user));
            for page in world.pages_of(device) {
                world.show(page, true);
            }
            // Whoever comes back finds what they left.
            let page = world.open(device);
            world.restore(page);
        }
        world.run(5 * MINUTE);
        decide(world, user);
        account(world, user);
    }
    let before = world.server.log.len();
    world.run(30 * MINUTE);
    let after: Vec<_> = world.server.log[before..].iter().collect();
    assert!(after.is_empty(), "all is saved, and still it asks: {after:?}");
}

fn decide(world: &mut World, user: User) {
    for round in 0.. {
        assert!(round < 30, "a conflict without an end");
        let pages: Vec<PageId> = (0..world.pages.len())
            .filter(|page| world.pages[*page].alive && world.shown(*page).conflict.is_some())
            .collect();
        if pages.is_empty() {
            break;
        }
        for page in pages {
            let choice = if world.rng.bool() { Choice::Mine } else { Choice::Theirs };
            world.resolve(page, choice);
            world.run(2 * MINUTE);
        }
    }
    for (id, page) in world.pages.iter().enumerate().filter(|(_, page)| page.alive) {
        if page.holder == Holder::User(user) {
            let rests = matches!(page.shown.status, Status::Idle | Status::Saved | Status::Error);
            assert!(rests, "page {id} is not at rest: {:?}", page.shown);
        }
        assert!(page.drafts.resting(), "page {id}: {:?}", page.shown);
    }
}

/// Every text that was ever safe is there, or went into one that is.
fn account(world: &World, user: User) {
    let mut there: BTreeSet<Text> = world.server.text(user).into_iter().collect();
    for device in &world.devices {
        let mine = |text: &Text| world.texts.owner(*text) == Some(user);
        there.extend(device.records.iter().map(|record| record.text).filter(mine));
    }
    for page in world.pages.iter().filter(|page| page.alive && page.holder == Holder::User(user)) {
        there.extend(page.data);
        there.extend(page.theirs.map(|theirs| theirs.text));
    }
    for owed in world.texts.owed(user) {
        let kept = there.iter().any(|text| world.texts.has_seen(*text, owed));
        assert!(kept, "{owed} of {user} is gone: {there:?}");
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => Just(Fate::Lost),
        3 => Just(Fate::AnswerLost),
        1 => (0..90 * SECOND).prop_map(Fate::Slow),
        2 => (0..90 * SECOND).prop_map(Fate::Late),
        1 => prop::option::of(0..MINUTE).prop_map(|told| Fate::Says(Answer::Later(Kind::RateLimited, told))),
        1 => Just(Fate::Says(Answer::Later(Kind::Server, None))),
        1 => Just(Fate::Says(Answer::Unauthorized)),
        1 => Just(Fate::Says(Answer::OtherUser)),
        1 => Just(Fate::Says(Answer::Refused(Kind::Invalid))),
        1 => Just(Fate::Fine),
    ]
}

fn who() -> impl Strategy<Value = Option<User>> {
    prop_oneof![4 => Just(Some(ANNE)), 1 => Just(Some(BERT)), 1 => Just(None)]
}

fn op() -> impl Strategy<Value = Op> {
    let yes = any::<bool>;
    prop_oneof![
        12 => Just(Op::Edit),
        2 => Just(Op::Revert),
        1 => Just(Op::Rerender),
        2 => Just(Op::Flush),
        4 => Just(Op::Restore),
        2 => Just(Op::Clear),
        3 => yes().prop_map(Op::Resolve),
        2 => yes().prop_map(Op::Show),
        1 => (0..2 * MINUTE).prop_map(Op::Freeze),
        2 => Just(Op::Reload),
        1 => Just(Op::Leave),
        3 => Just(Op::Kill),
        3 => Just(Op::OpenTab),
        2 => yes().prop_map(Op::Network),
        6 => fate().prop_map(Op::Fate),
        2 => who().prop_map(Op::Sign),
        1 => who().prop_map(Op::SignBehind),
        1 => yes().prop_map(Op::FillDisk),
        1 => (0..60 * MINUTE).prop_map(Op::Sleep),
        8 => (0..200_u64).prop_map(Op::Run),
        8 => (0..5 * SECOND).prop_map(Op::Run),
        3 => (0..MINUTE).prop_map(Op::Run),
    ]
}

fn world(seed: u64) -> World {
    let mut world = World::seeded(seed);
    while world.devices.len() < DEVICES {
        world.device(Some(ANNE));
    }
    world.slow_sessions = !seed.is_multiple_of(3);
    world
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_nothing_typed_is_lost_and_nothing_foreign_or_cleared_comes_back(
        seed in any::<u64>(),
        ops in prop::collection::vec((0..DEVICES, any::<usize>(), op()), 1..60),
    ) {
        let mut world = world(seed);
        for (device, pick, op) in ops {
            happen(&mut world, device, pick, op);
        }
        settle(&mut world);
    }
}

/// The same with no weight on what makes small stories: thousands of them.
#[test]
fn thousands_of_afternoons_lose_nothing() {
    for seed in 0..4_000 {
        let mut rng = fastrand::Rng::with_seed(!seed);
        let mut world = world(seed);
        for _ in 0..rng.usize(5..50) {
            let (device, pick, op) = (rng.usize(0..DEVICES), rng.usize(..), random(&mut rng));
            happen(&mut world, device, pick, op);
        }
        settle(&mut world);
    }
}

fn random(rng: &mut fastrand::Rng) -> Op {
    let yes = rng.bool();
    let who = [Some(ANNE), Some(ANNE), Some(ANNE), Some(BERT), None][rng.usize(0..5)];
    match rng.u32(0..60) {
        0..12 => Op::Edit,
        12..14 => Op::Revert,
        14 => Op::Rerender,
        15 | 16 => Op::Flush,
        17..21 => Op::Restore,
        21 | 22 => Op::Clear,
        23..26 => Op::Resolve(yes),
        26 | 27 => Op::Show(yes),
        28 => Op::Freeze(rng.u64(0..2 * MINUTE)),
        29 | 30 => Op::Reload,
        31 => Op::Leave,
        32..35 => Op::Kill,
        35..37 => Op::OpenTab,
        37 | 38 => Op::Network(yes || rng.bool()),
        39..44 => Op::Fate(random_fate(rng)),
        44 => Op::Sign(who),
        45 => Op::SignBehind(who),
        46 => Op::FillDisk(yes && rng.bool()),
        47 => Op::Sleep(rng.u64(0..60 * MINUTE)),
        48..53 => Op::Run(rng.u64(0..200)),
        53..58 => Op::Run(rng.u64(0..5 * SECOND)),
        _ => Op::Run(rng.u64(0..MINUTE)),
    }
}

fn random_fate(rng: &mut fastrand::Rng) -> Fate {
    match rng.u32(0..10) {
        0 | 1 => Fate::Lost,
        2 | 3 => Fate::AnswerLost,
        4 => Fate::Slow(rng.u64(0..90 * SECOND)),
        5 => Fate::Late(rng.u64(0..90 * SECOND)),
        6 => Fate::Says(Answer::Later(Kind::RateLimited, rng.bool().then(|| rng.u64(0..MINUTE)))),
        7 => Fate::Says(Answer::Later(Kind::Server, None)),
        8 => Fate::Says(if rng.bool() { Answer::Unauthorized } else { Answer::OtherUser }),
        _ => Fate::Says(Answer::Refused(Kind::Invalid)),
    }
}
