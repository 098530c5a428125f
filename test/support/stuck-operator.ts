// An operator, as a process, whose reconcile never ends and forgets a promise: what the process around it makes of both.
import { ConfigMaps } from '../../api/kinds.ts';
import { controllerFor } from '../../controllers/framework/builder.ts';
import { runOperator } from '../../controllers/framework/operator/run-operator.ts';

const stuck = controllerFor(ConfigMaps)
  .named('stuck')
  .where(({ metadata }) => metadata.namespace === 'default')
  .reconcile((_, { logger }) => {
    logger.info('stuck');
    void Promise.reject(new Error('forgotten'));
    return new Promise(() => undefined);
  });

// Long after everything else that holds a process up is gone.
process.once('SIGTERM', () =>
  setTimeout(() => process.stderr.write('still there\n'), 4_000).unref(),
);
await runOperator({ name: 'stuck', controllers: [stuck] });
