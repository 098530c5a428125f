// What a cluster has of itself besides its server: built-in controllers and the scheduler, each a process of the run.
// Invariant: they are the ones that a real cluster runs, on the run's time.
import { namedControllers } from '../../controllers/all.ts';
import { runControllers } from '../../controllers/framework/manager.ts';
import type { ControllerFactory } from '../../controllers/framework/reconciler.ts';
import { schedulerProgram } from '../cluster/built-in-programs.ts';
import type { Programs } from './programs.ts';
import type { Scenario } from './scenario.ts';

/** Starts those that the scenario asks for. Throws an Error for a controller that there is none of. */
export function startBuiltIns(programs: Programs, scenario: Scenario): void {
  const controllers = chosen(scenario.controllers ?? 'none');
  if (controllers.length > 0)
    programs.startBuiltIn('kube-controller-manager', (process, signal) => {
      const { client, clock, random, logger } = process;
      return runControllers(controllers, { client, clock, random, logger }, signal);
    });
  if (scenario.scheduler ?? hasNodes(scenario))
    programs.startBuiltIn('kube-scheduler', ({ client, clock, random, logger }, signal) =>
      schedulerProgram({ random, logger })({ client, clock, signal, onSynced: () => undefined }),
    );
}

const hasNodes = ({ nodes = 0 }: Scenario): boolean =>
  typeof nodes === 'number' ? nodes > 0 : nodes.length > 0;

/** In the place of a certificate in kube-root-ca.crt, which pods mount: nothing in a simulated cluster checks it. */
const NO_CERTIFICATE = 'a simulated cluster has no certificate\n';

function chosen(names: NonNullable<Scenario['controllers']>): readonly ControllerFactory[] {
  const known = namedControllers({ caCertificate: NO_CERTIFICATE });
  if (names === 'all') return Object.values(known);
  return (names === 'none' ? [] : names).map((name) => {
    const factory = known[name];
    if (factory) return factory;
    const all = Object.keys(known).join(', ');
    throw new Error(`there is no built-in controller ${name}; there are: ${all}`);
  });
}
