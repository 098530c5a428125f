// What an operator is made of.
// Invariant: all but its name and its controllers has a default that does in a pod.
import type { CustomResourceConversion } from '../../../api/generated/types.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Logger, LogLevel } from '../../../base/logger.ts';
import type { Random } from '../../../base/random.ts';
import type { InformerFactoryOptions } from '../../../client/informer/options.ts';
import type { Client } from '../../../client/rest/client.ts';
import type { Installable } from '../kinds/install.ts';
import type { LeaderElection } from '../manager.ts';
import type { ControllerFactory } from '../reconciler.ts';
import type { HealthOptions } from './health-server.ts';

/** An operator. */
export interface OperatorOptions {
  /** In logs, as the user agent, as the owner of fields, and as the Lease's name. */
  readonly name: string;
  readonly controllers: readonly ControllerFactory[];
  /**
   * Its controllers read objects of these namespaces alone, where they name none themselves: Roles there do then, in the place of
   * a ClusterRole, but for kinds without namespaces. All namespaces unless given.
   */
  readonly namespaces?: readonly string[];
  /** Kinds whose definitions are applied first (the account needs the rights for that); none unless given. */
  readonly kinds?: readonly Installable[];
  /** What runs beside the controllers, such as webhooks; it is there before they begin. */
  readonly webhooks?: OperatorPart | readonly OperatorPart[];
  /**
   * Of several copies only the one that holds a Lease acts; the Lease `name` in the operator's own namespace where true.
   * Off unless given.
   */
  readonly leaderElection?: boolean | Partial<LeaderElection>;
  /** The port for probes and figures; none unless given. */
  readonly health?: HealthOptions;
  /** `info` unless given. Lines are JSON, on standard error. */
  readonly logLevel?: LogLevel;
  /** What the caches keep of an object; the whole unless given. */
  readonly transform?: InformerFactoryOptions['transform'];
}

/** What a part that runs beside the controllers is given. */
export interface PartContext {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The operator's own namespace. */
  readonly namespace: string;
  /** To be called once it serves: the controllers wait for that. */
  readonly ready: () => void;
}

/** Something that runs beside the controllers, on every copy of the operator. */
export interface OperatorPart {
  readonly name: string;
  /** Works until the signal aborts, and resolves when it has stopped. What it rejects with ends the operator. */
  run(context: PartContext, signal: AbortSignal): Promise<void>;
  /** What the definition of a kind is to say of conversion, where this part converts its objects; asked before `run`. */
  conversion?(kind: Installable): CustomResourceConversion | undefined;
}
