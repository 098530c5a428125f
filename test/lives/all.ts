// All scenarios there are: what the files of topics/ export as `scenarios`, and which of them run where.
// Invariant: no two have one name.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Runtime, Scenario } from './scenario.ts';

/** A file of scenarios. */
export interface Topic {
  /** The file's name without its ending. */
  readonly name: string;
  readonly scenarios: readonly Scenario[];
}

const folder = join(import.meta.dirname, 'topics');

/** Every topic, by name. */
export const topics: readonly Topic[] = await Promise.all(
  readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map(async (file) => {
      const { scenarios } = (await import(join(folder, file))) as Partial<Topic>;
      if (!scenarios) throw new Error(`${file} exports no scenarios`);
      return { name: file.replace(/\.ts$/, ''), scenarios };
    }),
);

const names = topics.flatMap(({ scenarios }) => scenarios.map(({ name }) => name));
const twice = names.filter((name, index) => names.indexOf(name) !== index);
if (twice.length > 0) throw new Error(`scenarios with one name: ${twice.join('; ')}`);

/** The topics with those scenarios that run on a runtime. */
export function topicsOn(runtime: Runtime): readonly Topic[] {
  return topics
    .map((topic) => ({
      ...topic,
      scenarios: topic.scenarios.filter((each) => runs(each, runtime)),
    }))
    .filter(({ scenarios }) => scenarios.length > 0);
}

const runs = ({ on, node }: Scenario, runtime: Runtime): boolean =>
  node && runtime !== 'fake' ? false : (on?.includes(runtime) ?? true);
