import type { BulkActionRequest } from '../../contracts/bulk-actions.ts';
import { failureFilterSchema, type FailureFilter } from '../../contracts/failure-filter.ts';
import { formatMoney } from '../../contracts/money.ts';
import type { BulkActionPlan } from '../../queries/bulk-action-plan.ts';
import type { Session } from '../environment.ts';
import { FILTER_LABELS } from '../kit/filter-labels.ts';
import { IdLink, number, plural, Subject, words } from '../kit/format.tsx';
import { Csrf, Field, Reason } from '../kit/forms.tsx';
import { Facts, Figures, Panel, type Fact } from '../kit/layout.tsx';
import { Table } from '../kit/table.tsx';
import { BULK_ACTIONS } from './words.ts';

/** Above this, the count has to be typed: one wrong click must not act on thousands of orders. */
export const TYPED_ABOVE = 20;

/** What to do, and with which failures or orders. */
export type Chosen = Pick<BulkActionRequest, 'action' | 'filter' | 'ids' | 'failedAgainIn'>;

/** What a bulk action will do, and the form that starts it. */
export const DryRun = ({ chosen, plan, session }: { chosen: Chosen; plan: BulkActionPlan; session: Session }) => {
  const { matching, accepted, refused, sums, sample } = plan;
  const { planned } = BULK_ACTIONS[chosen.action];
  const money = sums.map(({ amount, currency }) => formatMoney(amount, currency)).join(' + ');
  return (
    <>
      <Figures
        of={[
          { value: accepted, label: planned },
          { value: money || 'none', label: 'worth of orders' },
          { value: matching - accepted, label: 'will be refused', bad: matching > accepted },
        ]}
      />
      {refused.length > 0 ? (
        <Panel title="Refused" id="refused">
          <ul class="plain">
            {refused.map(({ reason, count }) => (
              <li>
                <strong>{number(count)}</strong> {reason}
              </li>
            ))}
          </ul>
        </Panel>
      ) : null}
      {accepted === 0 ? <p>Nothing to do.</p> : <StartForm chosen={chosen} accepted={accepted} session={session} />}
      {sample.length > 0 ? (
        <Panel title={`First ${sample.length}`} id="sample">
          <Table
            label="First items"
            columns={[
              { title: 'About', cell: (candidate) => <Subject of={candidate} /> },
              {
                title: 'Amount',
                number: true,
                cell: ({ amount, currency }) => (amount === null || currency === null ? 'none' : formatMoney(amount, currency)),
              },
              { title: 'Result', cell: ({ refusal }) => (refusal ? `will be refused: ${refusal}` : planned) },
            ]}
            rows={sample}
          />
        </Panel>
      ) : null}
      <Panel title={chosen.filter ? 'Filter' : 'Selection'} id="selection">
        <Facts of={describe(chosen)} />
      </Panel>
    </>
  );
};

const StartForm = ({ chosen, accepted, session }: { chosen: Chosen; accepted: number; session: Session }) => (
  <form method="post" action="/ops/bulk-actions" class="panel stack">
    <Csrf session={session} />
    <input type="hidden" name="action" value={chosen.action} />
    {chosen.filter ? <input type="hidden" name="filter" value={JSON.stringify(chosen.filter)} /> : null}
    {chosen.failedAgainIn === undefined ? null : <input type="hidden" name="failedAgainIn" value={chosen.failedAgainIn} />}
    {chosen.ids?.map((id) => (
      <input type="hidden" name="ids" value={id} />
    ))}
    <h2>Start</h2>
    <Reason />
    <Field label="Maximum rate (per second)" name="ratePerSecond" type="number" value={20} min={1} max={200} required />
    {accepted > TYPED_ABOVE ? (
      <label>
        Type {accepted} to confirm
        <input name="confirm" required inputmode="numeric" pattern={String(accepted)} autocomplete="off" />
      </label>
    ) : null}
    <button type="submit" class={chosen.action === 'cancel' ? 'danger' : 'primary'}>
      {BULK_ACTIONS[chosen.action].verb} {plural(accepted, BULK_ACTIONS[chosen.action].noun)}
    </button>
  </form>
);

function describe({ action, ids, failedAgainIn, filter = {} }: Chosen): Fact[] {
  if (failedAgainIn !== undefined) return [['Failed again in', <IdLink to="bulk action" id={failedAgainIn} />]];
  if (ids) return [['Selected', plural(ids.length, action === 'restart' ? 'order' : 'failure')]];
  if (Object.keys(filter).length === 0) return [['All', BULK_ACTIONS[action].all]];
  return failureFilterSchema.keyof().options.map((field) => {
    const value = filter[field];
    return [FILTER_LABELS[field], value && IDENTIFIERS.includes(field) ? words(value) : value];
  });
}

/** Shown as words. What someone typed is shown as it is. */
const IDENTIFIERS: readonly (keyof FailureFilter)[] = ['status', 'kind', 'step', 'errorType'];
