// What the agent and the process that pulls for it say to each other. Plain data: it goes through JSON.
import type {
  ImageInfo,
  PullProgress,
  PullReason,
  RegistryCredential,
} from '../../runtime/runtime.ts';
import type { RegistryPatience } from './exchange.ts';
import type { SettingsSource } from './registry-settings.ts';

/** To the process. `open` comes first, once. */
export type PullOrder =
  | {
      readonly kind: 'open';
      readonly dir: string;
      readonly settings: SettingsSource | undefined;
      readonly patience: RegistryPatience;
    }
  | {
      readonly kind: 'pull';
      readonly id: number;
      readonly image: string;
      readonly credentials: readonly RegistryCredential[];
    }
  | { readonly kind: 'giveUp'; readonly id: number };

/** From the process. A pull ends with exactly one of `done` and `failed`, when nothing of it goes on any more. */
export type PullNews =
  | { readonly kind: 'progress'; readonly id: number; readonly progress: PullProgress }
  | { readonly kind: 'done'; readonly id: number; readonly image: ImageInfo }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly reason: PullReason;
      readonly message: string;
    };
