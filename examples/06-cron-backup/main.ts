// Runs the operator: `KUBECONFIG=FILE node_modules/.bin/node examples/06-cron-backup/main.ts`. Installs its kind first.
import { runOperator } from 'pinnace/controllers';
import { cronBackup } from './controller.ts';
import { BackupSchedules } from './kind.ts';

if (import.meta.main)
  await runOperator({
    name: 'cron-backup',
    kinds: [BackupSchedules],
    controllers: [cronBackup],
    leaderElection: true,
  });
