// The behaviour suite of pod lives on the embedded runtime (runc and conmon): one cluster, scenarios side by side.
import { livesOn } from '../lives/running/lives-on.ts';

livesOn('embedded', { node: true });
