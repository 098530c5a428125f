// Tests of the rules of restarts and stops.
import { describe, expect, it } from 'vitest';
import type { Container, PodSpec } from '../generated/types.ts';
import { validateRestart, validateStop } from './restart-validation.ts';

const aContainer = (parts: Partial<Container>): Container => ({ name: 'app', ...parts });
const said = (errors: readonly { field: string; message: string }[]) =>
  errors.map(({ field, message }) => `${field}: ${message}`);
const restart = (parts: Partial<Container>) => said(validateRestart(aContainer(parts), 'c'));
const stop = (parts: Partial<Container>, spec: Partial<PodSpec> = {}) =>
  said(validateStop(aContainer(parts), spec as PodSpec, 'c'));
const exitCodes = { operator: 'In', values: [42] };

describe('rules of restarts', () => {
  it('take every policy, and rules of either action', () => {
    for (const restartPolicy of ['Always', 'OnFailure', 'Never', undefined])
      expect(restart({ ...(restartPolicy && { restartPolicy }) })).toEqual([]);
    const restartPolicyRules = ['Restart', 'RestartAllContainers'].map((action) => ({
      action,
      exitCodes,
    }));
    expect(restart({ restartPolicy: 'Never', restartPolicyRules })).toEqual([]);
  });

  it('name what is wrong', () => {
    expect(restart({ restartPolicy: 'Sometimes' })).toEqual([
      'c.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
    ]);
    expect(restart({ restartPolicyRules: [{ action: 'Restart', exitCodes }] })).toEqual([
      'c.restartPolicy: Required value: must specify restartPolicy when restart rules are used',
    ]);
    const bad = [{ action: 'Stop' }, { action: 'Restart', exitCodes: { operator: 'Is' } }];
    expect(restart({ restartPolicy: 'Never', restartPolicyRules: bad })).toEqual([
      'c.restartPolicyRules[0].action: Unsupported value: "Stop": supported values: "Restart", "RestartAllContainers"',
      'c.restartPolicyRules[0].exitCodes: Required value: must be specified',
      'c.restartPolicyRules[1].exitCodes.operator: Unsupported value: "Is": supported values: "In", "NotIn"',
    ]);
  });

  it('keep to 20 rules and 255 codes each', () => {
    const many = (n: number) => Array.from({ length: n }, () => ({ action: 'Restart', exitCodes }));
    const never = { restartPolicy: 'Never' };
    expect(restart({ ...never, restartPolicyRules: many(20) })).toEqual([]);
    expect(restart({ ...never, restartPolicyRules: many(21) })).toEqual([
      'c.restartPolicyRules: Too many: 21: must have at most 20 items',
    ]);
    const values = Array.from({ length: 256 }, (_, i) => i);
    const rule = { action: 'Restart', exitCodes: { operator: 'In', values } };
    expect(restart({ ...never, restartPolicyRules: [rule] })).toEqual([
      'c.restartPolicyRules[0].exitCodes.values: Too many: 256: must have at most 255 items',
    ]);
  });
});

describe('rules of stops', () => {
  const sleeps = (seconds: number) => ({ lifecycle: { preStop: { sleep: { seconds } } } });

  it('keep a sleep within the grace, none at all among them', () => {
    expect([stop(sleeps(0)), stop(sleeps(30))]).toEqual([[], []]);
    expect(stop(sleeps(6), { terminationGracePeriodSeconds: 5 })).toEqual([
      'c.lifecycle.preStop.sleep: Invalid value: 6: must be non-negative and less than terminationGracePeriodSeconds (5)',
    ]);
    expect(stop(sleeps(-1))).toHaveLength(1);
  });

  it('take the signals of the pod’s operating system', () => {
    const by = (stopSignal: string) => ({ lifecycle: { stopSignal } });
    const linux = { os: { name: 'linux' } };
    for (const signal of ['SIGUSR1', 'SIGRTMIN+15', 'SIGRTMAX-14'])
      expect(stop(by(signal), linux)).toEqual([]);
    expect(stop(by('SIGUSR1'))).toEqual([
      'c.lifecycle.stopSignal: Forbidden: may not be set for containers with empty `spec.os.name`',
    ]);
    expect(stop(by('TERM'), linux)[0]).toContain('Unsupported value: "TERM"');
    expect(stop(by('SIGUSR1'), { os: { name: 'windows' } })[0]).toContain('"SIGKILL", "SIGTERM"');
  });
});
