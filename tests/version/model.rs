//! Everything interleaved with everything. The invariants are the watch's; what is random here is what the person, the
//! app, the server and the device do.

use evenkeel::core::time::Duration;
use evenkeel::core::version::{Blocker, Mode, Status, VersionSettings};
use proptest::prelude::*;

use super::world::{Endpoint, HOUR, LOOP_GUARD, MINUTE, Name, POLL, SECOND, World};

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Op {
    Header(Name),
    Refuse,
    Endpoint(Endpoint),
    Serve(Option<Name>),
    Deploy(Name),
    Want(Mode),
    Check,
    ChunkFailed,
    Active,
    Hold(bool),
    Drafts(bool),
    Requests(bool),
    Edit(bool),
    Apply,
    Dismiss,
    Show(bool),
    Network(bool),
    Restore,
    ReloadByHand,
    BreakStorage(bool),
    Decline(bool),
    Stick(bool),
    SetClock(i64),
    Answer(Name),
    Sleep(u64),
    Run(u64),
}

const NAMES: [Name; 4] = ['A', 'B', 'C', 'D'];

fn happen(world: &mut World, op: Op) {
    match op {
        Op::Header(name) => world.header(name),
        Op::Refuse => world.refuse(),
        Op::Endpoint(endpoint) => world.endpoint = endpoint,
        Op::Serve(name) => world.serves = name,
        Op::Deploy(name) => world.deploy(name),
        Op::Want(mode) => world.mode = mode,
        Op::Check => world.check(),
        Op::ChunkFailed => world.chunk_failed(),
        Op::Active => world.active(),
        Op::Hold(held) => world.hold(held),
        Op::Drafts(unsaved) => world.drafts(unsaved),
        Op::Requests(running) => world.requests(running),
        Op::Edit(editing) => world.edit(editing),
        Op::Apply => world.apply(),
        Op::Dismiss => world.dismiss(),
        Op::Show(visible) => world.show(visible),
        Op::Network(online) => world.network(online),
        Op::Restore => world.restore(),
        Op::ReloadByHand => world.reload_by_hand(),
        Op::BreakStorage(broken) => world.storage_works = !broken,
        Op::Decline(declines) => world.declines = declines,
        Op::Stick(stuck) => world.stuck = stuck,
        Op::SetClock(by) => world.set_clock(by),
        Op::Answer(name) if !world.watch.asks() => world.answer_unasked(name),
        Op::Answer(_) => {}
        Op::Sleep(time) => world.sleep(time),
        Op::Run(time) => world.run(time),
    }
}

/// After the last fault the page is of the server's version, or it is known why not.
fn settle(world: &mut World) {
    world.mode = Mode::Reload;
    world.deploy('E');
    world.declines = false;
    world.stuck = false;
    world.edit(false);
    world.hold(false);
    world.drafts(false);
    world.requests(false);
    world.show(true);
    world.network(true);
    let reloads = world.reloads.len();
    // A page that tried eight versions waits for the guard, and another that was just declined for that to be known.
    for _ in 0..4 {
        world.header('E');
        world.run(LOOP_GUARD + POLL * 11 / 10 + MINUTE);
    }
    let shown = world.shown();
    match shown.blocked_by {
        None => assert_eq!((world.page, shown.status), ('E', Status::Current)),
        Some(by) => {
            assert_eq!(by, Blocker::Storage);
            world.storage_works = true;
            world.reload_by_hand();
        }
    }
    assert!(world.reloads.len() <= reloads + 2, "{:?}", &world.reloads[reloads..]);
    // And there it stays.
    let reloads = world.reloads.len();
    world.forget();
    world.run(HOUR);
    assert_eq!((world.page, world.reloads.len()), ('E', reloads));
    assert!(world.log.len() <= 16, "{:?}", world.log);
}

fn change(settings: &mut VersionSettings, kind: u32) {
    let few = Duration::from_millis(20);
    settings.endpoint = !kind.is_multiple_of(4);
    match kind / 4 % 4 {
        0 => settings.poll = None,
        1 => (settings.idle, settings.spread) = (Duration::ZERO, Duration::ZERO),
        2 => (settings.spread, settings.flush_timeout) = (few, few),
        _ => {}
    }
}

fn op() -> impl Strategy<Value = Op> {
    let name = || prop::sample::select(&NAMES[..]);
    let yes = any::<bool>;
    let mode = prop_oneof![3 => Just(Mode::Reload), 1 => Just(Mode::Prompt), 1 => Just(Mode::Ignore)];
    let endpoint =
        prop_oneof![3 => name().prop_map(Endpoint::Says), 1 => Just(Endpoint::Fails), 1 => Just(Endpoint::Silent)];
    prop_oneof![
        4 => name().prop_map(Op::Header),
        1 => Just(Op::Refuse),
        2 => endpoint.prop_map(Op::Endpoint),
        1 => prop::option::of(name()).prop_map(Op::Serve),
        3 => name().prop_map(Op::Deploy),
        1 => mode.prop_map(Op::Want),
        2 => Just(Op::Check),
        1 => Just(Op::ChunkFailed),
        2 => Just(Op::Active),
        1 => yes().prop_map(Op::Hold),
        1 => yes().prop_map(Op::Drafts),
        1 => yes().prop_map(Op::Requests),
        1 => yes().prop_map(Op::Edit),
        1 => Just(Op::Apply),
        1 => Just(Op::Dismiss),
        2 => yes().prop_map(Op::Show),
        1 => yes().prop_map(Op::Network),
        1 => Just(Op::Restore),
        1 => Just(Op::ReloadByHand),
        1 => yes().prop_map(Op::BreakStorage),
        1 => yes().prop_map(Op::Decline),
        1 => yes().prop_map(Op::Stick),
        1 => (-2 * HOUR as i64..2 * HOUR as i64).prop_map(Op::SetClock),
        1 => name().prop_map(Op::Answer),
        1 => (0..HOUR).prop_map(Op::Sleep),
        4 => (0..200_u64).prop_map(Op::Run),
        4 => (0..20 * SECOND).prop_map(Op::Run),
        1 => (0..20 * MINUTE).prop_map(Op::Run),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_a_page_is_reloaded_safely_and_ends_on_the_servers_version(
        seed in any::<u64>(),
        kind in any::<u32>(),
        ops in prop::collection::vec(op(), 1..60),
    ) {
        let mut world = World::seeded(seed, |settings| change(settings, kind));
        for op in ops {
            happen(&mut world, op);
        }
        settle(&mut world);
    }
}

/// The same with no weight on what makes small stories: many thousands of them.
#[test]
fn thousands_of_afternoons_end_on_the_servers_version_each() {
    let mut reloads = [0, 0];
    for seed in 0..20_000_u64 {
        let mut rng = fastrand::Rng::with_seed(!seed);
        let mut world = World::seeded(seed, |settings| change(settings, rng.u32(..)));
        for _ in 0..rng.usize(5..40) {
            let op = random(&mut rng);
            happen(&mut world, op);
        }
        world.reloads.iter().for_each(|(.., by_person)| reloads[usize::from(*by_person)] += 1);
        settle(&mut world);
    }
    println!("{} reloads by themselves, {} by somebody", reloads[0], reloads[1]);
}

fn random(rng: &mut fastrand::Rng) -> Op {
    let (name, yes) = (NAMES[rng.usize(..NAMES.len())], rng.bool());
    match rng.u32(0..46) {
        0..4 => Op::Header(name),
        4 => Op::Refuse,
        5 | 6 => Op::Endpoint([Endpoint::Says(name), Endpoint::Fails, Endpoint::Silent][rng.usize(0..3)]),
        7 => Op::Serve(yes.then_some(name)),
        8..12 => Op::Deploy(name),
        12 => Op::Want([Mode::Reload, Mode::Reload, Mode::Prompt, Mode::Ignore][rng.usize(0..4)]),
        13 | 14 => Op::Check,
        15 => Op::ChunkFailed,
        16 | 17 => Op::Active,
        18 => Op::Hold(yes && rng.bool()),
        19 => Op::Drafts(yes && rng.bool()),
        20 => Op::Requests(yes && rng.bool()),
        21 => Op::Edit(yes && rng.bool()),
        22 => Op::Apply,
        23 => Op::Dismiss,
        24 | 25 => Op::Show(yes),
        26 => Op::Network(yes || rng.bool()),
        27 => Op::Restore,
        28 => Op::ReloadByHand,
        29 => Op::BreakStorage(yes && rng.bool()),
        30 => Op::Decline(yes && rng.bool()),
        31 => Op::Stick(yes && rng.bool()),
        32 => Op::SetClock(rng.i64(-2 * HOUR as i64..2 * HOUR as i64)),
        33 => Op::Answer(name),
        34 => Op::Sleep(rng.u64(0..HOUR)),
        35..40 => Op::Run(rng.u64(0..200)),
        40..45 => Op::Run(rng.u64(0..20 * SECOND)),
        _ => Op::Run(rng.u64(0..20 * MINUTE)),
    }
}
