package bench;
// The service's job in Kafka Streams. Settings: those of the service, by its names (KAFKA_BOOTSTRAP_SERVERS, CONSUMER_GROUP,
// READINGS_TOPIC, PREDICTIONS_TOPIC, MODEL_PATH, KAFKA_SESSION_TIMEOUT_MS), and WORK_FOLDER for its stores.
// args: store[rocksdb|memory] threads batched[true|false] [maxBatch]
import ai.onnxruntime.*;
import com.fasterxml.jackson.annotation.*;
import com.fasterxml.jackson.core.*;
import com.fasterxml.jackson.databind.*;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.*;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.*;
import java.nio.*;
import java.time.*;
import java.util.*;

public class App {
  static final ObjectMapper M = new ObjectMapper();
  public static class Reading { public String zone; public String timestamp; public double demand_mw; }
  @JsonPropertyOrder({"zone","window_start","window_end","model","model_version","score","logit","readings","mean_mw","max_mw","produced_at_ms"})
  public static class Prediction { public String zone, window_start, window_end, model = "peak-tomorrow-mlp", model_version = "5f1c0e7a9b"; public double score, logit; public int readings = 24; public double mean_mw, max_mw; public long produced_at_ms; }
  static class JsonSerde<T> implements Serde<T>, Serializer<T>, Deserializer<T> {
    final ObjectReader r; final ObjectWriter w;
    JsonSerde(Class<T> c) { r = M.readerFor(c); w = M.writerFor(c); }
    public byte[] serialize(String t, T v) { try { return v == null ? null : w.writeValueAsBytes(v); } catch (Exception e) { throw new RuntimeException(e); } }
    public T deserialize(String t, byte[] b) { try { return b == null ? null : r.readValue(b); } catch (Exception e) { throw new RuntimeException(e); } }
    public Serializer<T> serializer() { return this; }
    public Deserializer<T> deserializer() { return this; }
    public void close() {}
    public void configure(Map<String, ?> m, boolean k) {}
  }
  static OrtEnvironment ENV; static OrtSession SESSION; static String INPUT;
  static final double R6 = 1e6;

  /** key "zone|day"; value: 4-byte bitmap of hours present + 24 doubles = 196 bytes; deleted when scored */
  static class Windows implements Processor<String, Reading, String, Prediction> {
    ProcessorContext<String, Prediction> ctx; KeyValueStore<String, byte[]> store; final boolean batched; final int max;
    final List<String> zones = new ArrayList<>(); final List<LocalDate> days = new ArrayList<>(); final List<double[]> wins = new ArrayList<>();
    Windows(boolean b, int m) { batched = b; max = m; }
    public void init(ProcessorContext<String, Prediction> c) {
      ctx = c; store = c.getStateStore("windows");
      if (batched) c.schedule(Duration.ofMillis(10), PunctuationType.WALL_CLOCK_TIME, t -> flush());
    }
    public void process(Record<String, Reading> rec) {
      Reading r = rec.value();
      OffsetDateTime ts = OffsetDateTime.parse(r.timestamp);
      LocalDate day = ts.toLocalDate(); int hour = ts.getHour();
      String key = r.zone + "|" + day;
      byte[] v = store.get(key);
      if (v == null) v = new byte[196];
      ByteBuffer b = ByteBuffer.wrap(v);
      int bits = b.getInt(0) | (1 << hour);
      b.putInt(0, bits); b.putDouble(4 + 8 * hour, r.demand_mw);
      if (bits != 0xFFFFFF) { store.put(key, v); return; }
      double[] w = new double[24];
      for (int i = 0; i < 24; i++) w[i] = b.getDouble(4 + 8 * i);
      store.delete(key);
      if (batched) { zones.add(r.zone); days.add(day); wins.add(w); if (wins.size() >= max) flush(); }
      else { float[][][] x = new float[1][1][24]; for (int i = 0; i < 24; i++) x[0][0][i] = (float) w[i]; float[][] y = score(x); emit(r.zone, day, w, y[0][0], rec.timestamp()); }
    }
    void flush() {
      int n = wins.size(); if (n == 0) return;
      float[][][] x = new float[n][1][24];
      for (int k = 0; k < n; k++) for (int i = 0; i < 24; i++) x[k][0][i] = (float) wins.get(k)[i];
      float[][] y = score(x);
      for (int k = 0; k < n; k++) emit(zones.get(k), days.get(k), wins.get(k), y[k][0], System.currentTimeMillis());
      zones.clear(); days.clear(); wins.clear();
    }
    float[][] score(float[][][] x) {
      try (OnnxTensor t = OnnxTensor.createTensor(ENV, x); OrtSession.Result r = SESSION.run(Map.of(INPUT, t))) { return (float[][]) r.get(0).getValue(); }
      catch (OrtException e) { throw new RuntimeException(e); }
    }
    void emit(String zone, LocalDate day, double[] w, double logit, long ts) {
      Prediction p = new Prediction(); p.zone = zone; p.window_start = day + "T00:00:00Z"; p.window_end = day + "T23:00:00Z";
      p.logit = Math.rint(logit * R6) / R6; p.score = Math.rint(R6 / (1 + Math.exp(-logit))) / R6;
      double s = 0, mx = w[0]; for (double d : w) { s += d; if (d > mx) mx = d; }
      p.mean_mw = Math.rint(s / 24 * 10) / 10; p.max_mw = mx; p.produced_at_ms = System.currentTimeMillis();
      ctx.forward(new Record<>(zone, p, ts));
    }
  }
  public static void main(String[] a) throws Exception {
    String group = System.getenv("CONSUMER_GROUP"), out = System.getenv("PREDICTIONS_TOPIC"); boolean mem = a[0].equals("memory"); int threads = Integer.parseInt(a[1]); boolean batched = Boolean.parseBoolean(a[2]); int max = a.length > 3 ? Integer.parseInt(a[3]) : 256;
    ENV = OrtEnvironment.getEnvironment();
    OrtSession.SessionOptions so = new OrtSession.SessionOptions(); so.setIntraOpNumThreads(1); so.setInterOpNumThreads(1);
    SESSION = ENV.createSession(System.getenv("MODEL_PATH"), so); INPUT = SESSION.getInputNames().iterator().next();
    Properties p = new Properties();
    p.put(StreamsConfig.APPLICATION_ID_CONFIG, group);
    p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, System.getenv("KAFKA_BOOTSTRAP_SERVERS"));
    p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
    p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, threads);
    p.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    p.put(StreamsConfig.STATE_DIR_CONFIG, System.getenv("WORK_FOLDER") + "/streams-stores");
    p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, Long.parseLong(System.getenv().getOrDefault("CACHE", "10485760")));
    p.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    p.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), System.getenv("KAFKA_SESSION_TIMEOUT_MS"));
    p.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), Integer.parseInt(System.getenv().getOrDefault("MAXPOLL", "1000")));
    p.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), Integer.parseInt(System.getenv().getOrDefault("LINGER", "5")));
    p.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
    StreamsBuilder sb = new StreamsBuilder();
    StoreBuilder<KeyValueStore<String, byte[]>> st = Stores.keyValueStoreBuilder(mem ? Stores.inMemoryKeyValueStore("windows") : Stores.persistentKeyValueStore("windows"), Serdes.String(), Serdes.ByteArray());
    if (System.getenv().getOrDefault("CACHING", "true").equals("true")) st = st.withCachingEnabled(); else st = st.withCachingDisabled();
    st = st.withLoggingEnabled(Map.of());
    sb.addStateStore(st);
    sb.stream(System.getenv("READINGS_TOPIC"), Consumed.with(Serdes.String(), new JsonSerde<>(Reading.class)))
      .process(() -> new Windows(batched, max), "windows")
      .to(out, Produced.with(Serdes.String(), new JsonSerde<>(Prediction.class)));
    KafkaStreams ks = new KafkaStreams(sb.build(p), p);
    ks.setUncaughtExceptionHandler(e -> { e.printStackTrace(); return org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT; });
    Runtime.getRuntime().addShutdownHook(new Thread(() -> ks.close(Duration.ofSeconds(10))));
    ks.start();
    Thread.sleep(Long.MAX_VALUE);
  }
}
