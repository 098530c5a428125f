// The story of the demo, stage by stage, on a cluster that is up and a shop that is deployed.
// Invariant: it only acts as a user could (the API, a signal to a process) and waits for what it sees, never for time alone.
import type { Clock } from '../../base/clock.ts';
import { Pods, Services } from '../../api/kinds.ts';
import type { Pod } from '../../api/generated/types.ts';
import type { Client } from '../../client/rest/client.ts';
import type { System } from '../../system/system.ts';
import { failureTexts, firstAnswer } from './answers.ts';
import { Load, type LoadSpec } from './load.ts';
import { startBareServer } from './bare-server.ts';
import { isReady, type Observer, SHOP, type Wait } from './observer.ts';
import {
  fastestWindow,
  meanRate,
  rateOfOne,
  type Moment,
  slowestWindow,
  smallestShare,
  summarise,
  type TimelineSecond,
} from './timeline.ts';
import { HEAL_CEILING_MS, type Measured, STEP_CEILING_MS } from './verdict.ts';
import type { View } from './view.ts';

/** What the story needs. */
export interface StoryOptions {
  readonly client: Client;
  readonly observer: Observer;
  readonly system: System;
  readonly clock: Clock;
  readonly view: View;
  readonly signal: AbortSignal;
}

/** What it leaves to tell. */
export interface Story {
  readonly seconds: readonly TimelineSecond[];
  readonly moments: readonly Moment[];
  readonly measured: Omit<Measured, 'leftovers'>;
}

/** How long things may take before the story gives up; none of these is a figure of merit. */
const DEPLOY_CEILING_MS = 60_000;
const SCALE_OUT_CEILING_MS = 60_000;
const SCALE_IN_CEILING_MS = 120_000;
/** Quiet before the sale, and the steady peak in which shares are counted. */
const CALM_MS = 5_000;
const PEAK_MS = 18_000;
/** How long the sale goes on after the last repair. */
const LAST_MS = 8_000;
/** Seconds over which rates are judged. */
const WINDOW_SECONDS = 3;

/** Payments under way at once during the sale. */
const SALE_CONNECTIONS = 8;
/** Requests a second to the catalog, and to the bare server it is compared with. */
const BROWSING_RATE = 80;

const PAYMENT_BODY = JSON.stringify({ card: '4111111111111111', amountCents: 4999 });

/** Plays the story; throws only when the cluster is not fit for it or the signal aborts. */
export class Storyteller {
  readonly #o: StoryOptions;
  readonly #seconds: TimelineSecond[] = [];
  readonly #moments: Moment[] = [];
  readonly #startedAt: number;
  #stage = 'calm';
  #payment: Load | undefined;
  #catalog: Load | undefined;
  #bare: Load | undefined;
  #lastTick: number;

  constructor(options: StoryOptions) {
    this.#o = options;
    this.#startedAt = options.clock.monotonic();
    this.#lastTick = this.#startedAt;
  }

  async play(): Promise<Story> {
    const { observer } = this.#o;
    const ready = await observer.until(
      () =>
        observer.readyPods('payment').length === 1 && observer.readyPods('catalog').length === 2,
      DEPLOY_CEILING_MS,
    );
    if (ready.kind === 'timeout')
      throw new Error(`the shop did not get ready: ${this.#whyNotReady()}`);
    const urls = { payment: await this.#url('payment'), catalog: await this.#url('catalog') };
    const openMs = ready.ms + (await this.#answering(Object.values(urls)));
    this.#moment(
      `the shop is open: payment 1, catalog 2 replicas (${(openMs / 1000).toFixed(1)} s)`,
    );
    const server = await startBareServer(this.#o.signal);
    this.#bare = this.#load(browsing('bare', server.url));
    this.#catalog = this.#load(browsing('catalog', `${urls.catalog}/goods`));
    const calm = (this.#payment = this.#load(this.#paymentLoad(urls.payment, 2, 4)));
    const ticker = this.#tick();
    try {
      return await this.#scenes(urls.payment, calm);
    } finally {
      this.#stage = 'over';
      await Promise.all([this.#payment?.stop(), this.#catalog?.stop(), this.#bare?.stop()]);
      await server.stop();
      await ticker;
    }
  }

  async #scenes(paymentUrl: string, calm: Load): Promise<Story> {
    const { observer, view } = this.#o;
    view.stage('Calm: a few payments, steady browsing');
    await this.#pause(CALM_MS);
    const startReplicas = observer.pods('payment').length;

    this.#stage = 'sale';
    view.stage('The sale begins: payment alone is loaded');
    this.#moment('the sale begins');
    const known = new Set(observer.pods('payment').map((pod) => pod.metadata.uid));
    await calm.stop();
    const sale = (this.#payment = this.#load(this.#paymentLoad(paymentUrl, SALE_CONNECTIONS)));
    const step = await observer.until(
      () => observer.readyPods('payment').some((pod) => !known.has(pod.metadata.uid)),
      STEP_CEILING_MS,
    );
    this.#said('first new payment pod Ready', step);
    const out = await observer.until(
      () => observer.readyPods('payment').length >= 4 && this.#settled(),
      SCALE_OUT_CEILING_MS,
    );
    this.#said(`payment has ${observer.readyPods('payment').length} ready replicas`, out);
    const share = await this.#peak(sale);
    const healed = await this.#killContainer(sale);
    const replaced = await this.#deletePod();
    await this.#pause(LAST_MS);

    this.#stage = 'after';
    view.stage('The sale ends');
    this.#moment('the sale ends');
    await sale.stop();
    const after = (this.#payment = this.#load(this.#paymentLoad(paymentUrl, 2, 4)));
    const inAgain = await observer.until(() => this.#scaledIn(), SCALE_IN_CEILING_MS);
    this.#said('payment is back at one replica', inAgain);
    await this.#pause(2_000);
    this.#stage = 'over';
    await Promise.all([after.stop(), this.#catalog?.stop()]);
    const loads = [calm, sale, after, ...(this.#catalog ? [this.#catalog] : [])];
    for (const text of failureTexts(loads)) this.#moment(text);
    return this.#told({
      startReplicas,
      step,
      healed,
      replaced,
      share,
      loads: [calm, sale, after],
    });
  }

  #scaledIn(): boolean {
    const { observer } = this.#o;
    return (
      observer.autoscaler('payment')?.status?.desiredReplicas === 1 &&
      observer.allPods('payment').length === 1
    );
  }

  /** The autoscaler asks for no more than there is, and all of it is Ready. */
  #settled(): boolean {
    const status = this.#o.observer.autoscaler('payment')?.status;
    const ready = this.#o.observer.readyPods('payment').length;
    return status?.desiredReplicas === ready && this.#o.observer.pods('payment').length === ready;
  }

  /** Counts who serves while the number of replicas stands still; answers the smallest share of the mean. */
  async #peak(sale: Load): Promise<number> {
    const before = new Map(sale.totals.byPod);
    const names = this.#o.observer.readyPods('payment').map((pod) => pod.metadata.name ?? '');
    this.#stage = 'peak';
    await this.#pause(PEAK_MS);
    const served = names.map(
      (name) => (sale.totals.byPod.get(name) ?? 0) - (before.get(name) ?? 0),
    );
    const mean = served.reduce((sum, count) => sum + count, 0) / Math.max(1, served.length);
    this.#moment(
      `requests answered at the peak by each of the ${names.length} payment pods: ${served.join(', ')}`,
    );
    return mean === 0 ? 0 : Math.min(...served) / mean;
  }

  async #killContainer(sale: Load): Promise<Wait> {
    const { observer, system, view } = this.#o;
    const pod = observer.readyPods('payment').at(-1);
    if (!pod) throw new Error('no ready payment pod to kill a container of');
    const name = pod.metadata.name ?? '';
    const before = restarts(pod);
    view.stage(`A container of ${name} is killed while the sale goes on`);
    this.#moment(`kill -9 of the container of ${name}`);
    sale.expectLoss();
    for (const pid of processesOf(system, pod)) system.kill(pid, 'SIGKILL');
    const healed = await observer.until(() => {
      const now = observer.pod(name);
      return now !== undefined && restarts(now) > before && isRunning(now);
    }, HEAL_CEILING_MS);
    this.#said(`the container of ${name} runs again`, healed);
    await observer.until(() => isReady(observer.pod(name) ?? pod), HEAL_CEILING_MS);
    sale.lossOver();
    return healed;
  }

  async #deletePod(): Promise<Wait> {
    const { observer, client, view } = this.#o;
    const known = new Set(observer.pods('payment').map((pod) => pod.metadata.uid));
    const name = observer.readyPods('payment')[0]?.metadata.name ?? '';
    view.stage(`Pod ${name} is deleted`);
    this.#moment(`pod ${name} is deleted`);
    await client.resource(Pods).delete({ namespace: SHOP, name });
    const replaced = await observer.until(
      () => observer.readyPods('payment').some((pod) => !known.has(pod.metadata.uid)),
      STEP_CEILING_MS,
    );
    this.#said('its replacement is Ready', replaced);
    return replaced;
  }

  #told(t: {
    startReplicas: number;
    step: Wait;
    healed: Wait;
    replaced: Wait;
    share: number;
    loads: readonly Load[];
  }): Story {
    const { observer } = this.#o;
    const of = (name: 'payment' | 'catalog') =>
      this.#seconds.map((s) => ({ answered: s[name].answered, length: s.length }));
    const time = (wait: Wait) => (wait.kind === 'seen' ? wait.ms : undefined);
    const sum = (what: 'answered' | 'failed' | 'lost') =>
      t.loads.reduce((total, load) => total + load.totals[what], 0);
    return {
      seconds: this.#seconds,
      moments: this.#moments,
      measured: {
        paymentStartReplicas: t.startReplicas,
        paymentPeakReplicas: Math.max(0, ...this.#seconds.map((s) => s.payment.ready)),
        paymentEndReplicas: observer.allPods('payment').length,
        cpuPeakMillis: Math.max(0, ...this.#seconds.map((s) => s.payment.cpuMillis)),
        smallestShare: t.share,
        stepToReadyMs: time(t.step),
        killedToRunningMs: time(t.healed),
        deletedToReplacedMs: time(t.replaced),
        catalogReplicaCounts: observer.replicaCounts('catalog'),
        catalogSmallestShare: smallestShare(this.#seconds.slice(1), BROWSING_RATE * WINDOW_SECONDS),
        catalogSlowestRate: slowestWindow(of('catalog').slice(1), WINDOW_SECONDS),
        catalogMeanRate: meanRate(of('catalog')),
        catalogFailed: this.#catalog?.totals.failed ?? 0,
        paymentPeakRate: fastestWindow(of('payment'), WINDOW_SECONDS),
        paymentRateOfOne: rateOfOne(this.#seconds),
        paymentAnswered: sum('answered'),
        paymentFailed: sum('failed'),
        paymentLostWithKill: sum('lost'),
      },
    };
  }

  #load(spec: LoadSpec): Load {
    return new Load(spec, this.#o.clock);
  }

  #paymentLoad(url: string, connections: number, rate?: number): LoadSpec {
    return {
      name: 'payment',
      url: `${url}/pay`,
      method: 'POST',
      body: PAYMENT_BODY,
      connections,
      ...(rate === undefined ? {} : { rate }),
    };
  }

  /** Waits until each Service answers: Ready pods are behind it only when the node has heard of them. */
  async #answering(urls: readonly string[]): Promise<number> {
    const { clock, signal } = this.#o;
    const startedAt = clock.monotonic();
    const ceiling = AbortSignal.any([signal, AbortSignal.timeout(DEPLOY_CEILING_MS)]);
    await Promise.all(urls.map((url) => firstAnswer(`${url}/`, clock, ceiling)));
    return clock.monotonic() - startedAt;
  }

  /** The Service's node port on this machine. */
  async #url(name: string): Promise<string> {
    const service = await this.#o.client.resource(Services).get({ namespace: SHOP, name });
    const port = service.spec?.ports?.[0]?.nodePort;
    if (!port) throw new Error(`the Service ${name} has no node port`);
    return `http://127.0.0.1:${port}`;
  }

  async #tick(): Promise<void> {
    const { clock, observer, view } = this.#o;
    while (this.#stage !== 'over') {
      await this.#pause(1_000).catch(() => undefined);
      if (this.#o.signal.aborted || this.#stage === 'over') return;
      const now = clock.monotonic();
      const state = (app: string) => ({
        cpuMillis: observer.cpuMillis(app),
        replicas: observer.pods(app).length,
        ready: observer.readyPods(app).length,
      });
      const second: TimelineSecond = {
        at: (now - this.#startedAt) / 1000,
        length: (now - this.#lastTick) / 1000,
        stage: this.#stage,
        payment: summarise(this.#payment?.takeSecond(), state('payment')),
        catalog: summarise(this.#catalog?.takeSecond(), state('catalog')),
        bare: this.#bare?.takeSecond().answered ?? 0,
      };
      this.#lastTick = now;
      this.#seconds.push(second);
      view.second(second);
    }
  }

  #said(what: string, wait: Wait): void {
    const text =
      wait.kind === 'seen'
        ? `${what} after ${(wait.ms / 1000).toFixed(2)} s`
        : `never seen: ${what}`;
    this.#moment(text);
  }

  #moment(text: string): void {
    this.#moments.push({ at: (this.#o.clock.monotonic() - this.#startedAt) / 1000, text });
    this.#o.view.note(text);
  }

  #pause(ms: number): Promise<void> {
    return this.#o.clock.sleep(ms, this.#o.signal);
  }

  #whyNotReady(): string {
    const reasons = ['payment', 'catalog'].flatMap((app) =>
      this.#o.observer.pods(app).map((pod) => {
        const waiting = pod.status?.containerStatuses?.[0]?.state?.waiting;
        return `${pod.metadata.name}: ${pod.status?.phase} ${waiting?.reason ?? ''} ${waiting?.message ?? ''}`;
      }),
    );
    return reasons.length === 0 ? 'there are no pods' : reasons.join('; ');
  }
}

function browsing(name: string, url: string): LoadSpec {
  return { name, url, method: 'GET', connections: 8, rate: BROWSING_RATE };
}

function restarts(pod: Pod): number {
  return pod.status?.containerStatuses?.[0]?.restartCount ?? 0;
}

function isRunning(pod: Pod): boolean {
  return pod.status?.containerStatuses?.[0]?.state?.running !== undefined;
}

/** Processes in a pod's containers, by their cgroup. */
function processesOf(system: System, pod: Pod): number[] {
  const uid = pod.metadata.uid ?? '';
  return system
    .list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => (system.read(`/proc/${pid}/cgroup`) ?? '').includes(uid))
    .map(Number);
}
