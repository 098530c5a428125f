// The program: `npm start` runs it against the cluster that KUBECONFIG names, and in a pod against its own.
import { runOperator } from 'pinnace/controllers';
import { controller } from './controller.ts';
import { Widgets } from './kind.ts';

if (import.meta.main)
  await runOperator({
    name: 'widget-operator',
    kinds: [Widgets],
    controllers: [controller],
    leaderElection: true,
    health: { port: Number(process.env['PORT'] ?? 8080) },
  });
