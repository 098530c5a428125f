// GitSync: a kind from one schema. A folder of a git repository on this host whose manifests the cluster is to be like.
// Invariant: what was ever applied and is not known to be gone again stands in the status, before it is applied.
import { conditions, defineKind, type ObjectOf } from 'pinnace/controllers';
import { z } from 'zod';

/** Objects of one sync at most. */
export const MAX_OBJECTS = 1000;
/** Failures that the status tells; the rest is a number. */
export const MAX_FAILURES = 20;

const entry = z.object({
  apiVersion: z.string().max(317),
  kind: z.string().max(63),
  namespace: z.string().max(63).optional(),
  name: z.string().max(253),
});

const spec = z.object({
  repository: z
    .string()
    .max(4096)
    .regex(/^\//)
    .describe('Folder of a repository on the host of the operator, bare or not.'),
  ref: z
    .string()
    .max(250)
    .regex(/^[0-9A-Za-z]/)
    .default('HEAD')
    .describe('A branch, tag or commit.'),
  folder: z
    .string()
    .max(1000)
    .default('')
    .describe(
      'Manifests are looked for in here and below: .yaml, .yml, .json. All of it unless given.',
    ),
  intervalSeconds: z
    .int32()
    .min(1)
    .max(86_400)
    .default(60)
    .describe('How often it is looked for news.'),
  prune: z
    .boolean()
    .default(true)
    .describe(
      'Delete what is no longer in the repository, or with the sync. Namespaces and definitions are left.',
    ),
  suspend: z.boolean().default(false).describe('Do nothing for now.'),
});

const status = z.object({
  observedGeneration: z.int().min(0).optional(),
  revision: z.string().optional().describe('The newest commit that was applied as a whole.'),
  objects: z.int32().optional(),
  inventory: z
    .array(entry)
    .max(2 * MAX_OBJECTS)
    .optional()
    .describe('What was applied, or is about to be.'),
  failures: z
    .array(z.object({ object: z.string(), message: z.string().max(1000) }))
    .max(MAX_FAILURES)
    .optional(),
  driftCorrected: z
    .int()
    .optional()
    .describe('Objects that somebody else had changed or deleted, so far.'),
  conditions: conditions().optional(),
});

/** Folders of git repositories that the cluster follows. */
export const GitSyncs = defineKind({
  group: 'gitops.example.com',
  version: 'v1',
  kind: 'GitSync',
  shortNames: ['gs'],
  description: 'What the cluster has of a folder in a git repository.',
  spec,
  status,
  rules: {
    spec: {
      rule: "!self.folder.split('/').exists(part, part == '..') && !self.folder.startsWith('/')",
      message: 'folder is one within the repository',
    },
  },
  columns: {
    Revision: '.status.revision',
    Ready: '.status.conditions[?(@.type=="Ready")].status',
    Objects: '.status.objects',
    Age: { type: 'date', jsonPath: '.metadata.creationTimestamp' },
  },
});

/** A sync as it is stored. */
export type GitSync = ObjectOf<typeof GitSyncs>;
/** One object that a sync answers for. */
export type Entry = NonNullable<NonNullable<GitSync['status']>['inventory']>[number];
