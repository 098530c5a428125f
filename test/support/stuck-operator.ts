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

await runOperator({ name: 'stuck', controllers: [stuck] });
