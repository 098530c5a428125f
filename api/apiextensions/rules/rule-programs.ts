// The rules of one place of a schema (`x-kubernetes-validations`), compiled.
// Invariant: compiled once for each tree, whoever asks; what does not compile says why, in the words that users know.
import { BOOL, type CelType, DYN, optionalOf, STRING } from '../../cel/cel-type.ts';
import { type Compilation, compile, type Program } from '../../cel/compile.ts';
import type { Declarations } from '../../cel/environment.ts';
import type { PatternAllowance } from '../../cel/pattern-allowance.ts';
import { celTypeOf } from '../../cel/schema-type.ts';
import type { ValidationRule } from '../../generated/types.ts';
import type { Structural } from '../../schema/structural/structural.ts';
import { FieldPathError, fieldPathSteps, type PathStep } from './field-path.ts';

/** A rule, ready or not. */
export interface CompiledRule {
  readonly rule: ValidationRule;
  /** Undefined where it does not compile. */
  readonly program: Program | undefined;
  /** Why it does not. */
  readonly fault: string | undefined;
  readonly usesOldSelf: boolean;
  readonly message: Program | undefined;
  readonly messageFault: string | undefined;
  /** Where its errors are shown, below its own place. */
  readonly steps: readonly PathStep[];
}

/** The rules of one place and the type of its values. */
export interface RulesOfPlace {
  readonly type: CelType;
  readonly rules: readonly CompiledRule[];
}

const known = new WeakMap<Structural, RulesOfPlace>();

/**
 * The rules of a place; `root` where it is a whole object with apiVersion, kind and metadata. Where they are compiled now, their
 * patterns have to fit into `patterns`; none for a definition that is stored.
 */
export function rulesOfPlace(
  schema: Structural,
  root: boolean,
  patterns?: PatternAllowance,
): RulesOfPlace {
  let made = known.get(schema);
  if (!made) known.set(schema, (made = compiledRules(schema, root, patterns)));
  return made;
}

function compiledRules(
  schema: Structural,
  root: boolean,
  patterns: PatternAllowance | undefined,
): RulesOfPlace {
  const type = celTypeOf(schema, { name: 'object', root: root || schema.embedded }) ?? DYN;
  const room = patterns && { patterns };
  return { type, rules: schema.validations.map((rule) => compiled(rule, schema, { type, room })) };
}

interface Surroundings {
  readonly type: CelType;
  readonly room: Pick<Declarations, 'patterns'> | undefined;
}

function compiled(
  rule: ValidationRule,
  schema: Structural,
  { type, room }: Surroundings,
): CompiledRule {
  const variables = { self: type, oldSelf: rule.optionalOldSelf ? optionalOf(type) : type };
  const main = compile(rule.rule, { variables, result: BOOL, ...room });
  const { messageExpression = '' } = rule;
  const said =
    messageExpression.trim() === ''
      ? undefined
      : compile(messageExpression, { variables, result: STRING, ...room });
  const program = programOf(main);
  return {
    rule,
    program,
    fault: faultOf(main, 'compilation failed', 'cel expression must evaluate to a bool'),
    usesOldSelf: program !== undefined && uses(program, 'oldSelf'),
    message: said && programOf(said),
    messageFault: said && faultOf(said, 'messageExpression compilation failed', NO_TEXT),
    steps: stepsOf(rule, schema),
  };
}

const NO_TEXT = 'messageExpression must evaluate to a string';

function programOf(compilation: Compilation): Program | undefined {
  return compilation.kind === 'compiled' ? compilation.program : undefined;
}

function faultOf(compilation: Compilation, what: string, wrongType: string): string | undefined {
  if (compilation.kind === 'compiled') return undefined;
  return compilation.why === 'result' ? wrongType : `${what}: ${compilation.message}`;
}

/** Does the expression speak of the variable? */
function uses({ checked }: Program, name: string): boolean {
  for (const expr of checked.types.keys())
    if (expr.kind === 'ident' && expr.name === name) return true;
  return false;
}

/** Paths were checked when the definition was stored; one that leads nowhere says no more than the place itself. */
function stepsOf({ fieldPath = '' }: ValidationRule, schema: Structural): readonly PathStep[] {
  try {
    return fieldPathSteps(fieldPath, schema);
  } catch (error) {
    if (error instanceof FieldPathError) return [];
    throw error;
  }
}
