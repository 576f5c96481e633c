CREATE INDEX "commands_delivered" ON "commands" USING btree ("delivered_at");--> statement-breakpoint
CREATE INDEX "verification_tokens_age" ON "verification_tokens" USING btree ("created_at");