// Controllers that cannot be run are refused with what to write instead.
import { describe, expect, it } from 'vitest';
import { Pods } from '../../api/kinds.ts';
import { controllerFor } from './builder.ts';
import { makeControllers, MIN_RESYNC_MS } from './checked-spec.ts';
import type { ControllerContext, ControllerFactory } from './reconciler.ts';

const nothing = () => undefined;
const informers = { informer: () => ({ addIndex: nothing, subscribe: () => nothing }) };
const context = {
  informers,
  client: { resource: nothing },
} as unknown as ControllerContext;
const make = (...factories: readonly unknown[]) =>
  makeControllers(
    factories as readonly ControllerFactory[],
    factories.map(() => context),
  );

const pods = controllerFor(Pods);
const idle = () => Promise.resolve();

describe('makeControllers', () => {
  it('answers what can be run, each with its context', () => {
    const made = make(pods.concurrency(3).timeout(1).resync(MIN_RESYNC_MS).reconcile(idle));
    expect(made).toMatchObject([{ spec: { name: 'pod-controller', concurrency: 3 } }]);
    expect(made[0]?.context).toBe(context);
  });

  it.each([
    [[pods], 'controller 1 of the list is no controller: end its builder with .reconcile(…)'],
    [[() => undefined], /controller 1 of the list has no name: its factory must answer/],
    [[pods.named('').reconcile(idle)], /controller 1 of the list has no name/],
    [
      [pods.reconcile(idle), pods.reconcile(idle)],
      /two controllers are called pod-controller: give one another \.named/,
    ],
    [
      [pods.concurrency(0).reconcile(idle)],
      /pod-controller: concurrency is 0, and must be a whole number/,
    ],
    [[pods.concurrency(1.5).reconcile(idle)], /concurrency is 1.5/],
    [[pods.timeout(0).reconcile(idle)], /the timeout is 0, and must be milliseconds/],
    [[pods.timeout(Number.NaN).reconcile(idle)], /the timeout is NaN/],
    [[pods.timeout(1e13).reconcile(idle)], /the timeout is 10000000000000/],
    [[pods.resync(5).reconcile(idle)], /the resync of Pod is 5, and must be 1000 ms or more/],
    [[() => ({ name: 'bare', sources: [] })], /controller bare: reconcile must be a function/],
  ])('refuses %#', (factories, message) => {
    expect(() => make(...factories)).toThrow(TypeError);
    expect(() => make(...factories)).toThrow(message);
  });
});
