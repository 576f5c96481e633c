import type { Child } from 'hono/jsx';
import type { OperatorAction } from '../../operate/action.ts';
import { mayUse } from '../access.ts';
import type { PageDependencies, Session } from '../environment.ts';
import { words } from './format.tsx';

/** Proves that a form comes from the session. Every form that posts carries it. */
export const Csrf = ({ session }: { session: Session }) => <input type="hidden" name="csrf" value={session.csrf} />;

/** The actions that the page offers, side by side. */
export const ActionBar = ({ label = 'Actions', children }: { label?: string; children: Child }) => (
  <div class="actions" role="group" aria-label={label}>
    {children}
  </div>
);

/** The form of an operator's action, folded until it is needed. It always asks for a reason. Not shown to whom it is not for. */
export const ActionForm = (props: {
  session: Session;
  action: OperatorAction<PageDependencies>;
  /** Where `postAction` performs it. */
  to: string;
  /** The button, where the action's own label does not say enough. */
  label?: string;
  /** The label of the reason, where it asks for something specific. */
  reason?: string;
  danger?: boolean;
  children?: Child;
}) => {
  const { action, label = action.label, danger = false } = props;
  if (!mayUse(props.session.caller, 'POST', props.to)) return null;
  return (
    <details class="action">
      <summary class={danger ? 'danger' : undefined}>{label}…</summary>
      <form method="post" action={props.to}>
        <Csrf session={props.session} />
        <p>{action.about}</p>
        {props.children}
        <Reason label={props.reason} />
        <button type="submit" class={danger ? 'danger' : 'primary'}>
          {label}
        </button>
      </form>
    </details>
  );
};

/** The reason for an action. Kept in the audit. */
export const Reason = ({ label = 'Reason' }: { label?: string | undefined }) => (
  <label>
    {label}
    <input name="reason" required maxlength={500} autocomplete="off" />
  </label>
);

/** One line of text. */
export const Field = (props: {
  label: string;
  name: string;
  value?: string | number | undefined;
  type?: string;
  required?: boolean;
  min?: number;
  max?: number;
  wide?: boolean;
}) => (
  <label class={props.wide ? 'wide' : undefined}>
    {props.label}
    <input
      name={props.name}
      type={props.type ?? 'text'}
      value={props.value}
      required={props.required}
      min={props.min}
      max={props.max}
      maxlength={200}
      autocomplete="off"
    />
  </label>
);

/** A choice between a few options. `any` is the option for no choice. */
export const Choice = (props: {
  label: string;
  name: string;
  value: string | undefined;
  options: readonly { value: string; label: string }[];
  any?: string;
}) => (
  <label>
    {props.label}
    <select name={props.name}>
      {props.any === undefined ? null : <option value="">{props.any}</option>}
      {props.options.map(({ value, label }) => (
        <option value={value} selected={value === props.value}>
          {label}
        </option>
      ))}
    </select>
  </label>
);

/** @returns a choice of statuses or the like, by their words */
export const optionsOf = (values: readonly string[]): { value: string; label: string }[] =>
  values.map((value) => ({ value, label: words(value) }));
