// One expression of a policy or a match condition, compiled, or what is wrong with it in upstream's words.
// Invariant: pure; an expression that compiled gives one of the types that were asked for, exactly: dyn is none of them.
import type { CelType } from '../cel/cel-type.ts';
import { typeText } from '../cel/cel-type.ts';
import { compile, type Program } from '../cel/compile.ts';
import type { Declarations } from '../cel/environment.ts';
import { sameType } from '../cel/type-match.ts';
import { type FieldError, invalidValue } from '../field-error.ts';

/** An expression made ready; where it has a fault there is no program. */
export type CompiledExpression =
  | { readonly source: string; readonly program: Program; readonly fault?: undefined }
  | { readonly source: string; readonly program?: undefined; readonly fault: string };

/** How faults begin that are in the expression itself. */
export const COMPILATION_FAILED = 'compilation failed: ';

/** Compiles an expression that must give one of these types; any, where there are none. Never throws. */
export function compileExpression(
  source: string,
  declarations: Declarations,
  results: readonly CelType[] = [],
): CompiledExpression {
  const compilation = compile(source, declarations);
  if (compilation.kind === 'faulty')
    return { source, fault: `${COMPILATION_FAILED}${compilation.message}` };
  const { program } = compilation;
  if (results.length === 0 || results.some((type) => sameType(type, program.type)))
    return { source, program };
  const wanted = results.map(shownType);
  const asked = wanted.length === 1 ? wanted[0] : `one of [${wanted.join(' ')}]`;
  return { source, fault: `must evaluate to ${asked} but got ${shownType(program.type)}` };
}

const shownType = (type: CelType): string => (type.kind === 'null' ? 'null_type' : typeText(type));

/** The fault as one of the field that holds the expression. */
export function faultOf({ source, fault }: CompiledExpression, field: string): FieldError[] {
  return fault === undefined ? [] : [invalidValue(field, source, fault)];
}
