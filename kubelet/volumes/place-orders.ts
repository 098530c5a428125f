// What a node agent asks of the process that goes to places whose file system may hang, and what that answers; JSON both ways.
import type { GroupOwnership } from './group-ownership.ts';

/** The order, the process's only argument. */
export type PlaceOrder =
  /** Opens a part of a volume and keeps it open until the input ends. */
  | { readonly kind: 'hold'; readonly root: string; readonly inside: string }
  /** Gives a directory and all in it to a group. */
  | { readonly kind: 'own'; readonly root: string; readonly ownership: GroupOwnership };

/** The answer, one line. */
export type PlaceAnswer =
  | { readonly kind: 'held'; readonly descriptor: number; readonly isDirectory: boolean }
  | { readonly kind: 'owned' }
  /** The pod's own fault, in words for people. */
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };
