// The scenario that tests of simulation vary: a ConfigMap that is written twice, and a controller that copies it to a Secret.
// Invariant: nothing of a run stays behind here; each scenario is made anew.
import { ConfigMaps, Secrets } from '../../api/kinds.ts';
import type { ConfigMap } from '../../api/generated/types.ts';
import { controllerFor } from '../../controllers/framework/builder.ts';
import { type Program, scenario, type ScenarioOptions } from '../../testing/simulation/index.ts';

/** Where the ConfigMap is. */
export const at = { namespace: 'default', name: 'parent' };
/** Where its Secret is. */
export const child = { namespace: 'default', name: 'parent-child' };
/** The ConfigMap, without data. */
export const parent: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: at };

/** Gives each ConfigMap called `parent` a Secret with its data. */
export const copier: Program = {
  controllers: () => [
    controllerFor(ConfigMaps)
      .named('copier')
      .owns(Secrets)
      .where(({ metadata }) => metadata.name === at.name)
      .reconcile(async ({ data = {} }, { client }) => {
        const secrets = client.resource(Secrets);
        const body = { apiVersion: 'v1', kind: 'Secret', metadata: child, stringData: data };
        await secrets.patch(
          child,
          { type: 'apply', body, force: true },
          { fieldManager: 'copier' },
        );
      }),
  ],
};

const writesTwice: ScenarioOptions['story'] = async ({ client, sleep }) => {
  await client.resource(ConfigMaps).create({ ...parent, data: { a: '1' } });
  await sleep(2000);
  await client.resource(ConfigMaps).patch(at, { type: 'merge', body: { data: { a: '2' } } });
};

const decoded = (text = '') => Buffer.from(text, 'base64').toString();

/** The scenario; `more` replaces parts of it. */
export const copies = (more: Partial<ScenarioOptions> = {}) =>
  scenario({
    name: 'copies',
    programs: { copier },
    story: writesTwice,
    eventually: {
      'the copy is up to date': (state) => decoded(state.get(Secrets, child)?.data?.['a']) === '2',
    },
    ...more,
  });
