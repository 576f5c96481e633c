import type { Child } from 'hono/jsx';
import type { Session } from './environment.ts';

/** A form that asks for something to be done. It folds away until it is wanted, and always asks why. */
export const ActionForm = (props: {
  session: Session;
  action: string;
  /** What the button says. */
  verb: string;
  /** What will happen, in a sentence. */
  about?: Child;
  /** What the reason is called, where it is more than that. */
  reason?: string;
  danger?: boolean;
  children?: Child;
}) => (
  <details class="action">
    <summary class={props.danger ? 'danger' : undefined}>{props.verb}…</summary>
    <form method="post" action={props.action}>
      <input type="hidden" name="csrf" value={props.session.csrf} />
      {props.about ? <p>{props.about}</p> : null}
      {props.children}
      <Reason label={props.reason} />
      <button type="submit" class={props.danger ? 'danger' : 'primary'}>
        {props.verb}
      </button>
    </form>
  </details>
);

/** Why something is done: asked of every action, and kept. */
export const Reason = ({ label = 'Reason' }: { label?: string | undefined }) => (
  <label>
    {label}
    <input name="reason" required maxlength={500} autocomplete="off" />
  </label>
);

/** One line to type into. */
export const Field = (props: {
  label: string;
  name: string;
  value?: string | number | undefined;
  type?: string;
  required?: boolean;
  placeholder?: string;
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
      placeholder={props.placeholder}
      min={props.min}
      max={props.max}
      maxlength={200}
      autocomplete="off"
    />
  </label>
);

/** One of a few. `any` is the empty choice. */
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
