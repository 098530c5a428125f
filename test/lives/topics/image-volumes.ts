// Volumes that show the files of an image: what programs see of them, and what is told where they cannot be shown.
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { steady } from '../play.ts';
import {
  both,
  aPod,
  container,
  phase,
  ready,
  REAL,
  type Scenario,
  succeeded,
  waiting,
} from '../scenario.ts';
import { SHELL_IMAGE } from '../../support/tiny-images.ts';
import { until } from '../../support/until.ts';
import type { Witness } from '../running/witness.ts';

/** A pod that mounts an image at /v and runs a script once. */
const aPodWith = (script: string, { mount = {}, image = {}, spec = {} } = {}) =>
  aPod(
    {
      restartPolicy: 'Never',
      volumes: [{ name: 'v', image: { reference: SHELL_IMAGE, ...image } }],
      ...spec,
    },
    {
      command: ['/bin/sh', '-c', script],
      volumeMounts: [{ name: 'v', mountPath: '/v', ...mount }],
    },
  );

/** Where the pod's containers, of now and before, are shown images, as the host has it mounted. */
function shownOnHost({ history }: Witness): readonly string[] {
  const statuses = history().flatMap(({ pod }) => pod.status?.containerStatuses ?? []);
  const ids = new Set(statuses.map(({ containerID }) => containerID?.replace(/^\w+:\/\//, '')));
  const mounted = readFileSync('/proc/mounts', 'utf8').matchAll(/\S+\/r\/(\w+)\/[is]0 /g);
  return [...mounted].filter(([, id]) => ids.has(id)).map(([path]) => path);
}

/** The containerd of the tests is too old for them. */
const SHOWING: Pick<Scenario, 'on'> = { on: ['embedded'] };

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'the files of an image are a volume that nobody can write to, nor execute from',
    ...SHOWING,
    pod: aPodWith(
      'exec 2>/dev/null; [ -f /v/bin/ls ] && echo there; (echo x > /v/a) || echo refused; /v/bin/ls /v || echo unexecuted; grep() { while read -r l; do case "$l" in *" $1 "*) echo "$l";; esac; done; }; grep /v < /proc/mounts',
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['there', 'refused', 'unexecuted', /^overlay \/v overlay ro,.*noexec/] },
  },
  {
    name: 'a part of an image is shown by itself, two mounts of one volume side by side',
    ...SHOWING,
    pod: aPod(
      {
        restartPolicy: 'Never',
        volumes: [{ name: 'v', image: { reference: SHELL_IMAGE, pullPolicy: 'Never' } }],
      },
      {
        command: ['/bin/sh', '-c', 'ls /v /w/bin; (echo x > /v/a) 2>/dev/null || echo refused'],
        volumeMounts: [
          { name: 'v', mountPath: '/v', subPath: 'bin' },
          { name: 'v', mountPath: '/w' },
        ],
      },
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['cat', 'cat', 'refused'] },
  },
  {
    name: 'a pod with users of its own sees the files of an image as theirs',
    ...SHOWING,
    pod: aPodWith('[ -O /v/bin/cat ] && echo own; (echo x > /v/a) 2>/dev/null || echo refused', {
      spec: { hostUsers: false },
    }),
    steps: [{ until: succeeded }],
    logs: { main: ['own', 'refused'] },
  },
  {
    name: 'a part that the image does not have holds its container back, and is named',
    ...SHOWING,
    pod: aPodWith('exit 0', { mount: { subPath: 'no/where' } }),
    steps: [
      {
        until: both(
          phase('Pending'),
          container(
            'main',
            waiting(
              'CreateContainerError',
              /subPath "no\/where": it is not there, and its volume is read-only/,
            ),
          ),
        ),
      },
    ],
    never: [phase('Running')],
  },
  {
    name: 'an image volume that is nowhere holds back the containers that mount it, with the reasons of images',
    on: ['fake', ...REAL],
    pod: aPodWith('exit 0', { image: { reference: 'no.where/models:1', pullPolicy: 'Never' } }),
    steps: [
      {
        until: both(
          phase('Pending'),
          container(
            'main',
            waiting(
              'ErrImageNeverPull',
              'Container image "no.where/models:1" is not present with pull policy of Never',
            ),
          ),
        ),
      },
    ],
    never: [phase('Running')],
  },
  {
    name: 'what an image volume shows outlives the agent, and goes with its pod',
    on: ['embedded'],
    alone: true,
    pod: aPod(
      { volumes: [{ name: 'v', image: { reference: SHELL_IMAGE } }] },
      { volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'bin' }] },
    ),
    plays: { main: steady },
    steps: [
      { until: ready },
      {
        check: (witness) => expect(shownOnHost(witness)).toHaveLength(2),
        why: 'it is mounted on the host',
      },
      { restartAgent: true },
      { kill: 'main' },
      { until: both(ready, container('main', { restartCount: 1 })) },
      { exec: ['ls', '/v'], stdout: /^cat$/m },
      { delete: true },
      { gone: true },
      {
        check: (witness) => until(() => shownOnHost(witness).length === 0),
        why: 'nothing of it is mounted any more',
      },
    ],
  },
  {
    name: 'a runtime that shows no images says so',
    on: ['containerd'],
    pod: aPodWith('exit 0'),
    steps: [
      {
        until: container(
          'main',
          waiting(
            'CreateContainerError',
            /^containerd \S+ shows no images as volumes \(from 2\.1 on\)/,
          ),
        ),
      },
    ],
    never: [phase('Running')],
  },
];
