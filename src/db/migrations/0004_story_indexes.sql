CREATE INDEX "failures_workflow" ON "failures" USING btree ("workflow_id");--> statement-breakpoint
CREATE INDEX "failures_age" ON "failures" USING btree ("first_seen_at");--> statement-breakpoint
CREATE INDEX "order_events_age" ON "order_events" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "saga_steps_retrying" ON "saga_steps" USING btree ("started_at") WHERE state = 'retrying';--> statement-breakpoint
CREATE INDEX "signups_email" ON "signups" USING btree (lower("email"));