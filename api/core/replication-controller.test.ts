// ReplicationControllers, templates of pods, and what tells of the parts of the control plane: defaults, rules, cells.
import { describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import type { ReplicationController } from '../generated/types.ts';
import { componentStatus, componentStatusDefinition } from './component-status.ts';
import { podTemplateDefinition } from './pod-template.ts';
import { replicationControllerDefinition } from './replication-controller.ts';

const template = (labels: object = { app: 'a' }, spec: object = {}) => ({
  metadata: { labels },
  spec: { containers: [{ name: 'a', image: 'a:1' }], ...spec },
});

describe('ReplicationControllers', () => {
  const controller = (spec: object = {}): ReplicationController =>
    made(replicationControllerDefinition, { spec: { template: template(), ...spec } });

  it('select the pods of their template unless they say otherwise', () => {
    const { spec, metadata } = controller();
    expect(spec).toMatchObject({ replicas: 1, selector: { app: 'a' } });
    expect(metadata.labels).toEqual({ app: 'a' });
  });

  it.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['nothing to select', { template: template({}) }, ['spec.selector Required']],
    ['other pods', { selector: { app: 'b' } }, ['spec.template.metadata.labels Invalid']],
    ['no template', { template: undefined }, ['spec.selector Required', 'spec.template Required']],
    ['fewer than no pods', { replicas: -1 }, ['spec.replicas Invalid']],
    [
      'pods that end',
      { template: template({ app: 'a' }, { restartPolicy: 'Never' }) },
      ['spec.template.spec.restartPolicy NotSupported'],
    ],
  ])('with %s', (_, spec, errors) => {
    expect(broken(replicationControllerDefinition, controller(spec))).toEqual(errors);
  });

  it('show counts, and can be scaled', () => {
    const one = { ...controller({ replicas: 3 }), status: { replicas: 2, readyReplicas: 1 } };
    expect(cells(replicationControllerDefinition, one)).toEqual({
      Name: 'x',
      Desired: 3,
      Current: 2,
      Ready: 1,
      Age: '<unknown>',
      Containers: 'a',
      Images: 'a:1',
      Selector: 'app=a',
    });
    const { scale } = replicationControllerDefinition;
    expect(scale?.selector(one)).toBe('app=a');
    expect(scale?.withReplicas(one, 5).spec?.replicas).toBe(5);
  });
});

describe('PodTemplates', () => {
  it('keep the rules of pods, and show what they are', () => {
    const one = made(podTemplateDefinition, { template: template() });
    expect(broken(podTemplateDefinition, one)).toEqual([]);
    expect(cells(podTemplateDefinition, one)).toEqual({
      Name: 'x',
      Containers: 'a',
      Images: 'a:1',
      'Pod Labels': 'app=a',
    });
    expect(podTemplateDefinition.columns.every(({ priority }) => priority === undefined)).toBe(
      true,
    );
    const none = made(podTemplateDefinition, { template: template({}, { containers: [] }) });
    expect(broken(podTemplateDefinition, none)).toEqual(['template.spec.containers Required']);
  });
});

describe('ComponentStatuses', () => {
  it.each([
    [true, 'Healthy'],
    [false, 'Unhealthy'],
  ])('show whether a part is well: %s', (healthy, Status) => {
    expect(
      cells(componentStatusDefinition, componentStatus('x', { healthy, message: 'm' })),
    ).toEqual({
      Name: 'x',
      Status,
      Message: 'm',
      Error: '',
    });
  });
});
