// ImageRule: which registries the images of a namespace's pods may come from; a kind of two versions.
// Invariant: nothing is lost on the way from one version to the other and back.
import { defineKind, type ObjectOf } from 'pinnace/controllers';
import { z } from 'zod';

const names = { group: 'examples.pinnace.dev', kind: 'ImageRule' } as const;

/** As it was at first: one text, commas between registries. */
export const OldImageRules = defineKind({
  ...names,
  version: 'v1alpha1',
  spec: z.object({ registries: z.string().describe('Registries, with commas between them.') }),
});

/** As it is now. */
export const ImageRules = defineKind({
  ...names,
  version: 'v1',
  spec: z.object({
    registries: z
      .array(z.string().min(1).max(253))
      .min(1)
      .max(100)
      .describe('Where images may come from. The first is meant where an image names none.'),
  }),
  versions: [
    {
      kind: OldImageRules,
      up: ({ spec }) => ({ spec: { registries: spec.registries.split(',') } }),
      down: ({ spec }) => ({ spec: { registries: spec.registries.join(',') } }),
    },
  ],
});

/** An object of it. */
export type ImageRule = ObjectOf<typeof ImageRules>;
