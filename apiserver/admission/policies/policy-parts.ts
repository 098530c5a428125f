// What policies of either sort are made from.
// Invariant: types only.
import type { Decide } from '../../../api/admissionregistration/authorizer-library.ts';
import type { Clock } from '../../../base/clock.ts';
import type { AdmissionFigures } from '../../metrics/admission-figures.ts';
import type { PolicyFigures } from '../../metrics/policy-figures.ts';
import type { MatchingParts } from '../matching.ts';

/** What policies need of the server. */
export interface PolicyParts extends MatchingParts {
  readonly decide: Decide;
  readonly clock: Clock;
  readonly figures: PolicyFigures;
  readonly conditionFigures: Pick<
    AdmissionFigures,
    'conditionFailed' | 'conditionsAsked' | 'excluded'
  >;
}
