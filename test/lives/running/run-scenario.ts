// Runs one scenario in a world: makes its namespace, does its steps, and holds what was recorded against what it expects.
// Invariant: a failure tells the step, what was missing, and everything that was seen of the pod and its events.
import type { Event, Pod } from '../../../api/generated/types.ts';
import { Namespaces, Pods, ServiceAccounts } from '../../../api/kinds.ts';
import { StatusError } from '../../../api/status.ts';
import { execInPod } from '../../../client/pods/remote-command.ts';
import { podLogs } from '../../../client/pods/logs.ts';
import { mismatch } from '../patterns.ts';
import type { EventPattern, Scenario, StatusPattern } from '../scenario.ts';
import { podOf } from './manifest.ts';
import { applyObject } from './objects.ts';
import type { Moment } from './recorder.ts';
import { doStep } from './steps.ts';
import { brokenInvariants } from './invariants.ts';
import { eventsOf, isLine, POD_NAME, told, type Witness, type World } from './witness.ts';

/** Runs it to its end. Rejects with what was not as it should be. */
export async function runScenario(
  scenario: Scenario,
  world: World,
  namespace: string,
): Promise<void> {
  const witness = makeWitness(world, namespace);
  let doing = 'preparing';
  try {
    await prepare(scenario, witness);
    doing = 'creating the pod';
    if (await createPod(scenario, witness)) return;
    for (const [index, step] of scenario.steps.entries()) {
      doing = `step ${index + 1}: ${told(step)}`;
      await doStep(step, witness);
    }
    doing = 'at the end';
    await expectAll(scenario, witness);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${doing}: ${why}\n${seenBy(witness)}`, { cause: error });
  } finally {
    await leave(witness);
  }
}

function makeWitness(world: World, namespace: string): Witness {
  const { recorder, client } = world;
  const history = (name = POD_NAME) => recorder.of(namespace, name);
  return {
    world,
    namespace,
    history,
    pod(name = POD_NAME) {
      const last = history(name).at(-1);
      if (!last) throw new Error(`no pod ${name} was seen`);
      return last.pod;
    },
    async run(command, container) {
      const ref = { namespace, name: POD_NAME };
      const { exitCode, stdout, stderr } = await execInPod(client, ref, { command, container });
      if (exitCode !== 0)
        throw new Error(`${command.join(' ')}: exit code ${exitCode}: ${stdout}${stderr}`);
      return stdout;
    },
    async log(container) {
      const lines: string[] = [];
      const ref = { namespace, name: POD_NAME };
      for await (const line of podLogs(client, ref, { container })) lines.push(line);
      return lines;
    },
  };
}

async function prepare(scenario: Scenario, { world, namespace }: Witness): Promise<void> {
  const { client } = world;
  await client
    .resource(Namespaces)
    .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await serviceAccountIn(world, namespace);
  for (const object of scenario.objects ?? []) await applyObject(client, namespace, object);
}

/** A pod is refused while its namespace has no service account. */
async function serviceAccountIn({ client, recorder, until }: World, namespace: string) {
  const over = new AbortController();
  let found = false;
  const watching = (async () => {
    const options = { namespace, signal: over.signal };
    for await (const batch of client.resource(ServiceAccounts).watch(options))
      if (batch.some(({ object }) => object.metadata.name === 'default')) break;
    found = true;
    recorder.wake();
  })().catch(() => undefined);
  await until(
    () => found,
    () => 'the namespace has no service account',
  );
  over.abort(new Error('found'));
  await watching;
}

/** True where it was refused, as the scenario says. */
async function createPod(scenario: Scenario, { world, namespace }: Witness): Promise<boolean> {
  const { refused } = scenario;
  const pods = world.client.resource(Pods);
  try {
    await pods.create(podOf(scenario, namespace));
  } catch (error) {
    if (refused && error instanceof StatusError) {
      if (refused.test(error.message)) return true;
      throw new Error(`it was refused in other words: ${error.message}`, { cause: error });
    }
    throw error;
  }
  if (refused) throw new Error(`it was taken, where ${refused} should have refused it`);
  await world.until(
    () => world.recorder.of(namespace, POD_NAME).length > 0,
    () => 'the watch never told of the pod',
  );
  return false;
}

async function expectAll(scenario: Scenario, witness: Witness): Promise<void> {
  const { events = [], noEvents = [], logs = {} } = scenario;
  const { world, namespace } = witness;
  const seen = () => eventsOf(witness, POD_NAME);
  // Events are written apart from statuses, and may come a little later.
  await world.until(
    () => missingEvent(events, seen()) === undefined,
    () => `no event ${told(missingEvent(events, seen()))}`,
  );
  for (const pattern of noEvents) {
    const found = seen().find((event) => mismatch(pattern, event) === undefined);
    if (found) throw new Error(`there is an event ${found.reason}: ${found.message}`);
  }
  for (const name of world.recorder.namesIn(namespace)) {
    const broken = brokenInvariants(world.recorder.of(namespace, name));
    if (broken.length > 0) throw new Error(`the life of ${name}:\n${broken.join('\n')}`);
  }
  expectStatuses(scenario, witness);
  for (const [container, lines] of Object.entries(logs))
    expectLines(lines, await witness.log(container), container);
}

function expectStatuses(scenario: Scenario, witness: Witness): void {
  const { statuses = [], brief = [], never = [] } = scenario;
  const history = witness.history();
  expectInTurn(statuses, history);
  if (witness.world.runtime === 'fake') expectInTurn(brief, history);
  for (const pattern of never)
    expectNever(
      pattern,
      history.map(({ pod }) => pod),
    );
}

function expectInTurn(patterns: readonly StatusPattern[], history: readonly Moment[]): void {
  let at = 0;
  for (const [index, pattern] of patterns.entries()) {
    const reasons: string[] = [];
    while (at < history.length) {
      const why = mismatch(pattern, history[at]?.pod.status ?? {});
      if (why === undefined) break;
      reasons.push(why);
      at += 1;
    }
    if (at === history.length)
      throw new Error(
        `status ${index + 1} was not seen in its turn: ${told(pattern)}\n${reasons.at(-1) ?? ''}`,
      );
  }
}

function expectNever(pattern: StatusPattern, pods: readonly Pod[]): void {
  const found = pods.findIndex((pod) => mismatch(pattern, pod.status ?? {}) === undefined);
  if (found >= 0) throw new Error(`moment ${found} has what must never be: ${told(pattern)}`);
}

/** In order: of two that are written at one moment either may be recorded first. */
function missingEvent(
  patterns: readonly EventPattern[],
  events: readonly Event[],
): EventPattern | undefined {
  let notBefore = -Infinity;
  for (const pattern of patterns) {
    const hits = events.filter((event) => mismatch(pattern, event) === undefined);
    const hit = hits.find((event) => timeOf(event) >= notBefore);
    if (!hit) return pattern;
    notBefore = timeOf(hit);
  }
  return undefined;
}

const timeOf = (event: Event) => Date.parse(event.lastTimestamp ?? event.eventTime ?? '');

function expectLines(
  wanted: readonly (string | RegExp)[],
  lines: readonly string[],
  container: string,
): void {
  let at = 0;
  for (const each of wanted) {
    const found = lines.findIndex((line, index) => index >= at && isLine(each, line));
    if (found < 0)
      throw new Error(`the log of ${container} lacks ${String(each)}:\n${lines.join('\n')}`);
    at = found + 1;
  }
}

async function leave({ world, namespace }: Witness): Promise<void> {
  const { client } = world;
  await client.resource(Pods).deleteCollection({ namespace, gracePeriodSeconds: 1 });
  await client.resource(Namespaces).delete({ name: namespace });
}

/** Everything, for a failure's message. */
function seenBy(witness: Witness): string {
  const { world, namespace } = witness;
  const lines = world.recorder.namesIn(namespace).flatMap((name) => {
    const moments = world.recorder.of(namespace, name);
    const statuses = moments.map(({ pod, atMs, deleted }, index) => {
      const leaving = pod.metadata.deletionTimestamp === undefined ? '' : ' leaving';
      return `  ${index} ${new Date(atMs).toISOString()}${deleted ? ' DELETED' : leaving} ${brief(pod)}`;
    });
    const events = eventsOf(witness, name).map(
      ({ type, reason, message }) => `  ${type} ${reason}: ${message}`,
    );
    return [`pod ${name}:`, ...statuses, ...events];
  });
  return lines.join('\n');
}

function brief({ status = {} }: Pod): string {
  const { phase, reason, message, conditions = [] } = status;
  const holding = conditions.filter((each) => each.status === 'True').map(({ type }) => type);
  const containers = [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ].map(({ name, state, lastState, restartCount, ready }) => {
    const last = lastState?.terminated ? ` last ${told(lastState.terminated.reason)}` : '';
    return `${name}${ready ? ' ready' : ''} #${restartCount} ${told(state)}${last}`;
  });
  return [phase, reason, message, `[${holding.join(' ')}]`, ...containers]
    .filter((part) => part !== undefined)
    .join(' | ');
}
