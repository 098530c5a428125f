// One run of a scenario: a cluster, its programs and its story on one virtual time, each message an entry of one agenda.
// Invariant: everything that happens comes from the image, the seed and the choices; nothing of the host has a say. One thing happens
// at a time, and what comes of it is over before the next.
import { breathe } from '../../base/breathe.ts';
import { systemClock } from '../../base/clock.ts';
import { type Random, seededRandom, seedFor } from '../../base/random.ts';
import type { Handler } from '../../api/wire/exchange.ts';
import type { FakeNode } from '../nodes/fake-node.ts';
import { FakeNodeDialer } from '../nodes/fake-node-dialer.ts';
import { Agenda } from './agenda.ts';
import { startBuiltIns } from './built-ins.ts';
import { LiveState } from './cluster-state.ts';
import { firstBroken } from './conditions.ts';
import { Ending } from './ending.ts';
import { History } from './history.ts';
import { SimulatedNodes } from './nodes.ts';
import { type Odd, oddOf } from './odds.ts';
import { type Finding, HOST_TIME, type RunOutcome } from './outcome.ts';
import { type HostUse, within } from './outside.ts';
import type { ProcessRun, RunningProcess } from './process.ts';
import { ProcessClock } from './process-clock.ts';
import { befallsOthers as mayBeLate, Programs } from './programs.ts';
import { type Condition, type Scenario, SIMULATION_LIMITS } from './scenario.ts';
import { storyCluster, type StoryRun } from './story-cluster.ts';
import { RateCounter } from './rate-counter.ts';
import { type Choices, type Place, recorded, type Tape } from './tape.ts';
import { startWorld, type World, type WorldImage } from './world.ts';

/** Turns of the event loop in which the server may finish a request that lets others in between. */
const MAX_TURNS = 200;
/** Built-in controllers that work while a scenario is set up: without them no pod can be made in a namespace. */
const SETTING_UP = ['service-account-controller', 'root-ca-certificate-publisher-controller'];
/** Writes that an outcome shows. */
const SHOWN_WRITES = 5;

/** What a run is made of. */
export interface RunOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly choices: Choices;
  readonly image: WorldImage;
  /** Does the history keep what each message was made of? */
  readonly keepsContent?: boolean;
}

interface RunParts {
  readonly agenda: Agenda;
  readonly world: World;
  readonly dialer: FakeNodeDialer;
}

interface Waiter {
  readonly condition: Condition;
  resolve(): void;
}

/** Runs a scenario once. Rejects only when the cluster itself cannot be made. */
export async function runOnce(options: RunOptions): Promise<RunOutcome> {
  const run = await Run.open(options);
  try {
    await run.drive();
    return run.outcome();
  } finally {
    await run.close();
  }
}

/** What the scenario's runs begin as. Throws the error of a `setUp` that fails. */
export async function imageAfter(
  { setUp, ...scenario }: Scenario,
  image: WorldImage,
): Promise<WorldImage> {
  const alone = { programs: {}, always: {}, eventually: {}, controllers: SETTING_UP };
  const story = setUp ?? (async () => undefined);
  const run = await Run.open({
    scenario: { ...scenario, ...alone, scheduler: false, nodes: 0, story },
    seed: 0,
    choices: { choose: () => 0 },
    image,
  });
  try {
    await run.drive();
    if (run.finding) throw new Error(`setUp failed: ${run.finding.detail}`);
    return run.image();
  } finally {
    await run.close();
  }
}

class Run implements ProcessRun, StoryRun {
  finding: Finding | undefined;
  readonly agenda: Agenda;
  readonly history: History;
  readonly tape: Tape;
  readonly #options: RunOptions;
  readonly #choices: Choices;
  readonly #world: World;
  readonly #state: LiveState;
  readonly #programs: Programs;
  readonly #nodes: SimulatedNodes;
  readonly #ending: Ending;
  readonly #rates: RateCounter;
  readonly #waiters = new Set<Waiter>();
  readonly #startMs: number;
  readonly #endsBy: number;
  #judged = -1n;
  #messages = 0;
  #unanswered = 0;
  #writer = 'server';
  #hasBegun = false;

  static async open(options: RunOptions): Promise<Run> {
    const agenda = new Agenda(options.image.atMs);
    const random = seededRandom(seedFor(options.seed, 'server'));
    const clock = new ProcessClock(agenda);
    const dialer = new FakeNodeDialer();
    const world = await startWorld(options.image, { clock, random, nodeDialer: dialer });
    return new Run(options, { agenda, world, dialer });
  }

  private constructor(options: RunOptions, { agenda, world, dialer }: RunParts) {
    const { scenario } = options;
    this.#options = options;
    this.agenda = agenda;
    this.#world = world;
    const now = () => agenda.now;
    this.history = new History(now, options.keepsContent);
    this.#rates = new RateCounter(now);
    const { choices, tape } = recorded(options.choices);
    this.#choices = choices;
    this.tape = tape;
    this.#programs = new Programs(this, scenario);
    this.#nodes = new SimulatedNodes(this, dialer, scenario);
    this.#state = new LiveState({
      store: world.server.store,
      now,
      writer: () => this.#writer,
      requests: (program) => this.#programs.requests(program),
    });
    this.#ending = new Ending(scenario, this.#state, now);
    this.#startMs = agenda.now;
    const { realMs } = { ...SIMULATION_LIMITS, ...scenario.limits };
    this.#endsBy = systemClock.monotonic() + realMs;
  }

  get server(): Handler {
    return this.#world.server.handler;
  }

  image(): WorldImage {
    return this.#world.image();
  }

  get nodes(): readonly FakeNode[] {
    return this.#nodes.all;
  }

  /** Lets everything happen, one thing after another, until the run is over or something was found. */
  async drive(): Promise<void> {
    const { scenario } = this.#options;
    startBuiltIns(this.#programs, scenario);
    this.#nodes
      .start(scenario.nodes)
      .catch((error: unknown) => this.found('a node failed', String(error)));
    this.#programs.startAll();
    while (!this.finding) {
      await drained();
      if (this.#timeWouldPass()) {
        await breathe();
        if (this.#begins()) continue;
        if (this.#timeWouldPass() && this.#isOver()) return;
      }
      this.agenda.step();
      await drained();
      await this.#answered();
      this.#judge();
      this.#writer = 'server';
    }
  }

  outcome(): RunOutcome {
    const { scenario, seed } = this.#options;
    const written = this.finding ? this.#state.writes.slice(-SHOWN_WRITES) : [];
    return {
      scenario: scenario.name,
      seed,
      tape: this.tape,
      finding: this.finding,
      history: this.history.entries,
      hash: this.history.digest(),
      messages: this.#messages,
      virtualMs: this.agenda.now - this.#startMs,
      written: written.map(({ atMs, by, type, object }) => ({ atMs, by, type, object })),
    };
  }

  async close(): Promise<void> {
    this.#programs.close();
    this.#nodes.close();
    this.#state.close();
    await this.#world.close();
    // What programs make of the end is over with the run, rejections that nobody hears included.
    await breathe();
  }

  choose(place: Place): Odd | undefined {
    const odd = oddOf(place.moment, this.#choices.choose(place));
    if (odd && 'ms' in odd && odd.kind !== 'step') this.disturbedUntil(this.agenda.now + odd.ms);
    return odd;
  }

  disturbedUntil(moment: number): void {
    this.#ending.disturbedUntil(moment);
  }

  delivered(): void {
    this.#messages++;
    const { messages } = this.#limits;
    if (this.#messages > messages) this.#limit(`${messages} messages`);
  }

  arrived(who: string, request: string, answer: Promise<unknown>): void {
    this.delivered();
    const { perSecond } = this.#limits;
    if (this.#rates.count(`${who} ${request}`) > perSecond)
      this.#hotLoop(`${who} asked ${request} ${perSecond} times within a second of virtual time`);
    this.#writer = who;
    this.#unanswered++;
    const over = () => {
      this.#unanswered--;
    };
    answer.then(over, over);
  }

  mayReconcile(process: RunningProcess, controller: string, key: string): boolean {
    const { perSecond } = this.#limits;
    const what = `${process.name}: ${controller} reconciled ${key}`;
    if (this.#rates.count(what) <= perSecond) return true;
    this.#hotLoop(`${what} ${perSecond} times within a second of virtual time`);
    return false;
  }

  found(text: string, detail = ''): void {
    this.#find({ kind: 'program', invariant: text, detail });
  }

  within<T>(process: RunningProcess, fn: () => T): T {
    const { program } = process.spec;
    const found = (text: string, detail: string) => {
      if (!process.isDead) this.found(`the program ${program} ${text}`, detail);
    };
    const { harmless = [] } = this.#options.scenario;
    const used = ({ what, instead, stack }: HostUse) => {
      const [caller = ''] = stack.split('\n');
      if (harmless.some((name) => caller.includes(`/node_modules/${name}/`))) return;
      found(`used ${what}, with which no run can be repeated; take ${instead}`, stack);
    };
    const unheard = (error: unknown) => {
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      found('left a rejected promise unheard, which ends a process', stack);
    };
    return within({ used, unheard }, fn);
  }

  randomFor(who: string): Random {
    return seededRandom(seedFor(this.#options.seed, who));
  }

  startAgain(process: RunningProcess, ms: number): void {
    this.disturbedUntil(this.agenda.now + ms);
    this.agenda.at(this.agenda.now + ms, () => this.#programs.restart(process));
  }

  befallsOthers(odd: Odd): boolean {
    return mayBeLate(this.#options.scenario.faults ?? {}, odd);
  }

  until(condition: Condition, withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter = { condition, resolve };
      this.#waiters.add(waiter);
      this.agenda.at(this.agenda.now + withinMs, () => {
        if (this.#waiters.delete(waiter))
          reject(new Error(`what the story waited for did not come within ${withinMs} ms`));
      });
      this.#judged = -1n;
    });
  }

  crash(program: string): void {
    this.#programs.crash(program);
    this.disturbedUntil(this.agenda.now);
  }

  start(program: string): void {
    this.#programs.start(program);
    this.disturbedUntil(this.agenda.now);
  }

  get #limits() {
    return { ...SIMULATION_LIMITS, ...this.#options.scenario.limits };
  }

  #timeWouldPass(): boolean {
    const next = this.agenda.nextMoment();
    return next === undefined || next > this.agenda.now;
  }

  /** Nothing is left to do at this moment: is the run over? */
  #isOver(): boolean {
    const next = this.agenda.nextMoment() ?? Infinity;
    const verdict = this.#ending.at(next);
    if (verdict.kind === 'over') return true;
    if (verdict.kind === 'broken') {
      this.#find(verdict.finding);
      return true;
    }
    const { virtualMs } = this.#limits;
    if (next - this.#startMs > virtualMs) this.#limit(`${virtualMs} ms of virtual time`);
    if (systemClock.monotonic() > this.#endsBy) this.#limit(HOST_TIME);
    return this.finding !== undefined;
  }

  /** Lets the story begin, the first time that nothing is left to do. */
  #begins(): boolean {
    if (this.#hasBegun || !this.#timeWouldPass()) return false;
    this.#hasBegun = true;
    this.#tell();
    return true;
  }

  #tell(): void {
    this.history.note('story', 'begins');
    this.#options.scenario.story(storyCluster(this)).then(
      () => {
        this.history.note('story', 'ends');
        this.#ending.storyEnded();
      },
      (error: unknown) => {
        const detail = error instanceof Error ? error.message : String(error);
        this.#find({ kind: 'story', invariant: 'the story comes to its end', detail });
      },
    );
  }

  /** Turns the event loop until the server has answered what it got, where it lets others in between. */
  async #answered(): Promise<void> {
    for (let turn = 0; this.#unanswered > 0 && turn < MAX_TURNS; turn++) await breathe();
  }

  /** Asks what must always hold, and what the story waits for, where something was written. */
  #judge(): void {
    const { revision } = this.#world.server.store;
    if (revision === this.#judged) return;
    this.#judged = revision;
    const broken = firstBroken(this.#options.scenario.always ?? {}, this.#state);
    if (broken) this.#find({ kind: 'always', invariant: broken.name, detail: broken.detail });
    for (const waiter of this.#waiters)
      if (!firstBroken({ it: waiter.condition }, this.#state)) {
        this.#waiters.delete(waiter);
        waiter.resolve();
      }
  }

  #hotLoop(what: string): void {
    this.#find({ kind: 'hot loop', invariant: 'nothing is done again and again', detail: what });
  }

  #limit(what: string): void {
    const invariant = 'the run comes to an end by itself';
    this.#find({ kind: 'limit', invariant, detail: `${what} were not enough` });
  }

  /** The first finding counts. */
  #find(finding: Finding): void {
    this.finding ??= finding;
  }
}

/** Resolves once every promise that can go on has: one thing, and all that comes of it. */
const drained = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
