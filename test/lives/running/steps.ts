// The steps of scenarios: what each does, and what it waits for.
// Invariant: a step that waits looks whenever something was recorded, and never by turns of its own.
import type { Pod } from '../../../api/generated/types.ts';
import { Pods } from '../../../api/kinds.ts';
import { execInPod } from '../../../client/pods/remote-command.ts';
import { podLogs } from '../../../client/pods/logs.ts';
import { evictPod } from '../../../client/rest/subresources.ts';
import { mismatch } from '../patterns.ts';
import type { EventPattern, StatusPattern, Step } from '../scenario.ts';
import { applyObject, removeObject } from './objects.ts';
import { eventsOf, isLine, POD_NAME, type Witness } from './witness.ts';

type Of<K extends string> = Extract<Step, { readonly [key in K]: unknown }>;

/** Does one. Rejects with what was missing. */
export async function doStep(step: Step, witness: Witness): Promise<void> {
  const name = step.pod ?? POD_NAME;
  if ('until' in step) return untilStatus(step.until, name, witness);
  if ('event' in step) return untilEvent(step.event, name, witness);
  if ('log' in step) return untilLine(step, name, witness);
  if ('exec' in step) return exec(step, name, witness);
  if ('gone' in step) return untilGone(name, witness);
  if ('stays' in step) return stays(step, name, witness);
  if ('check' in step) return step.check(witness);
  return act(step, name, witness);
}

type Act = Exclude<
  Step,
  Of<'until'> | Of<'event'> | Of<'log'> | Of<'exec'> | Of<'gone'> | Of<'stays'> | Of<'check'>
>;

async function act(step: Act, name: string, { world, namespace, pod }: Witness): Promise<void> {
  const { client } = world;
  const pods = client.resource(Pods);
  const ref = { namespace, name };
  const patch = async (body: object, subresource?: string) => {
    await pods.patch(ref, { type: 'strategic', body }, subresource ? { subresource } : {});
  };
  const isTold = 'delete' in step || 'evict' in step || ('kill' in step && step.signal);
  if (isTold) await world.minded(pod(name));
  if ('kill' in step) return world.signal(pod(name), step.kill, step.signal ?? 'SIGKILL');
  if ('patch' in step) return patch(step.patch);
  if ('resize' in step) return patch(step.resize, 'resize');
  if ('attachEphemeral' in step)
    return patch({ spec: { ephemeralContainers: [step.attachEphemeral] } }, 'ephemeralcontainers');
  if ('apply' in step) return applyObject(client, namespace, step.apply);
  if ('remove' in step) return removeObject(client, namespace, step.remove);
  if ('restartAgent' in step) return world.restartAgent();
  const { gracePeriodSeconds } = step;
  const grace = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
  if ('evict' in step) return evictPod(client, ref, grace);
  await pods.delete(ref, grace);
}

async function untilStatus(
  pattern: StatusPattern,
  name: string,
  { world, namespace }: Witness,
): Promise<void> {
  const why = () => {
    const last = world.recorder.of(namespace, name).at(-1);
    if (!last) return 'it was never seen';
    return last.deleted ? 'it is gone' : mismatch(pattern, last.pod.status ?? {});
  };
  await world.until(
    () => why() === undefined,
    () => why() ?? '',
  );
}

async function untilEvent(pattern: EventPattern, name: string, witness: Witness): Promise<void> {
  await witness.world.until(
    () => eventsOf(witness, name).some((event) => mismatch(pattern, event) === undefined),
    () => 'there was no such event',
  );
}

async function untilGone(name: string, { world, namespace }: Witness): Promise<void> {
  await world.until(
    () => world.recorder.of(namespace, name).at(-1)?.deleted === true,
    () => 'it is still there',
  );
}

async function untilLine(step: Of<'log'>, name: string, witness: Witness): Promise<void> {
  const { world, namespace, pod } = witness;
  const { log, of: container = 'main', previous } = step;
  const statusOf = (it: Pod) =>
    [
      ...(it.status?.containerStatuses ?? []),
      ...(it.status?.initContainerStatuses ?? []),
      ...(it.status?.ephemeralContainerStatuses ?? []),
    ].find((each) => each.name === container);
  const begun = () => statusOf(pod(name))?.containerID !== undefined;
  await world.until(begun, () => `${container} has not begun`);
  const lines: string[] = [];
  const over = new AbortController();
  let problem: unknown;
  const reading = (async () => {
    const options = { container, previous, follow: !previous, signal: over.signal };
    for await (const line of podLogs(world.client, { namespace, name }, options)) {
      lines.push(line);
      world.recorder.wake();
    }
  })().catch((error: unknown) => {
    if (!over.signal.aborted) problem = error;
    world.recorder.wake();
  });
  try {
    await world.until(
      () => {
        if (problem !== undefined)
          throw new Error(`the log broke off: ${(problem as Error).message}`, { cause: problem });
        return lines.some((line) => isLine(log, line));
      },
      () => `the log says:\n${lines.join('\n')}`,
    );
  } finally {
    over.abort(new Error('enough was read'));
    await reading;
  }
}

async function exec(step: Of<'exec'>, name: string, { world, namespace }: Witness): Promise<void> {
  const { exec: command, of: container, exitCode = 0 } = step;
  const outcome = await execInPod(world.client, { namespace, name }, { command, container });
  const why = mismatch(
    { exitCode, stdout: step.stdout ?? /^/, stderr: step.stderr ?? /^/ },
    outcome,
    command.join(' '),
  );
  if (why !== undefined) throw new Error(`${why}\n${outcome.stdout}${outcome.stderr}`);
}

async function stays(
  { stays: pattern, seconds }: Of<'stays'>,
  name: string,
  { world, namespace }: Witness,
): Promise<void> {
  const from = world.recorder.of(namespace, name).length - 1;
  await world.pass(seconds * 1000);
  for (const { pod } of world.recorder.of(namespace, name).slice(from)) {
    const why = mismatch(pattern, pod.status ?? {});
    if (why !== undefined) throw new Error(`it did not stay so: ${why}`);
  }
}
