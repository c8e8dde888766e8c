# Build with `docker build -t earshot .`, run with
#   docker run --read-only --tmpfs /tmp -v earshot:/data -p 8080:8080 -e API_KEYS=<32 random characters> earshot
# The gateway writes to /data and /tmp only. It listens on all addresses, so it refuses to start without API_KEYS.
# `.ci/container-steps` runs the RUN lines of the first stage, and starts what the second one copies.

FROM node:20-bookworm-slim AS build
WORKDIR /app
# Its own install step would fetch GPU libraries that are not used here.
ENV ONNXRUNTIME_NODE_INSTALL=skip
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npx tsc
RUN npx vite build web-demo --logLevel warn
RUN npm prune --omit=dev --no-audit --no-fund
# onnxruntime-node carries the libraries of every platform.
RUN find node_modules/onnxruntime-node/bin -mindepth 3 -maxdepth 3 ! -path "*/linux/$(node -p process.arch)" -exec rm -r {} +

FROM node:20-bookworm-slim
WORKDIR /app
# ffmpeg decodes what the gateway does not decode by itself: AAC in MP4, and the rarer kinds of recordings.
RUN apt-get update \
  && apt-get install -y --no-install-recommends ffmpeg \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node /data
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/models ./models
COPY --from=build /app/drizzle ./drizzle
COPY --from=build /app/dist ./dist
# onnxruntime would report its use to its maker.
ENV ORT_DISABLE_TELEMETRY=1
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 DATA_DIR=/data
USER node
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --start-interval=2s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/main.js"]
