// Widget: what users of this operator write, as one schema. Types, definition, defaults and checks follow from it.
import { conditions, defineKind, type ObjectOf } from 'pinnace/controllers';
import { z } from 'zod';

/** Programs that run on so many pods. */
export const Widgets = defineKind({
  group: 'example.com',
  version: 'v1alpha1',
  kind: 'Widget',
  description: 'A program that runs on so many pods.',
  spec: z.object({
    image: z.string().min(1).max(500).describe('What the pods run.'),
    replicas: z.int32().min(0).max(20).default(1).describe('How many pods.'),
  }),
  status: z.object({
    observedGeneration: z.int().optional().describe('The generation that the rest speaks of.'),
    readyReplicas: z.int32().optional().describe('Pods that are ready.'),
    conditions: conditions().optional(),
  }),
  columns: {
    Replicas: '.spec.replicas',
    Ready: '.status.readyReplicas',
    Age: { type: 'date', jsonPath: '.metadata.creationTimestamp' },
  },
});

/** One as it is stored: defaults are filled in. */
export type Widget = ObjectOf<typeof Widgets>;
