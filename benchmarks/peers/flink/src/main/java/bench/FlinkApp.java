package bench;
// The service's job in Flink. Settings: those of the service, by its names (KAFKA_BOOTSTRAP_SERVERS, CONSUMER_GROUP, READINGS_TOPIC,
// PREDICTIONS_TOPIC, MODEL_PATH), and WORK_FOLDER for checkpoints.
// args: parallelism checkpoint_ms score[each|batch]
// environment (all optional): KEYED=keyby|reinterpret (the latter: parallelism 1, one chained task, no shuffle) DECODE=databind|stream
//   BUFTO (ms) MAXPOLL LINGER (ms) NAMING=INCREMENTING|POOLING DEBLOAT UNALIGNED=true|false BATCH BATCH_MS RESTORE (checkpoint to start from)
import ai.onnxruntime.*;
import com.fasterxml.jackson.annotation.*;
import com.fasterxml.jackson.core.*;
import com.fasterxml.jackson.databind.*;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.*;
import org.apache.flink.api.common.typeinfo.*;
import org.apache.flink.api.connector.sink2.*;
import org.apache.flink.api.java.tuple.*;
import org.apache.flink.configuration.*;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.*;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.streaming.api.datastream.*;
import org.apache.flink.streaming.api.environment.*;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.operators.*;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import java.io.*;
import java.nio.*;
import java.nio.charset.StandardCharsets;
import java.time.*;
import java.util.*;

public class FlinkApp {
  static String env(String k, String d) { return System.getenv().getOrDefault(k, d); }
  static final ObjectMapper M = new ObjectMapper();
  static final double R6 = 1e6;
  public static class Raw { public String zone; public String timestamp; public double demand_mw; }
  @JsonPropertyOrder({"zone","window_start","window_end","model","model_version","score","logit","readings","mean_mw","max_mw","produced_at_ms"})
  public static class Prediction { public String zone, window_start, window_end, model = "peak-tomorrow-mlp", model_version = "5f1c0e7a9b"; public double score, logit; public int readings = 24; public double mean_mw, max_mw; public long produced_at_ms; }

  /** zone, hours since 1970, MW */
  static final TypeInformation<Tuple3<String, Integer, Double>> READING = Types.TUPLE(Types.STRING, Types.INT, Types.DOUBLE);
  /** zone, days since 1970, 24 values */
  static final TypeInformation<Tuple3<String, Integer, double[]>> WINDOW = Types.TUPLE(Types.STRING, Types.INT, PrimitiveArrayTypeInfo.DOUBLE_PRIMITIVE_ARRAY_TYPE_INFO);

  static class Decode implements KafkaRecordDeserializationSchema<Tuple3<String, Integer, Double>> {
    final boolean stream; transient ObjectReader r; transient JsonFactory f;
    Decode(boolean s) { stream = s; }
    public void open(org.apache.flink.api.common.serialization.DeserializationSchema.InitializationContext c) { r = M.readerFor(Raw.class); f = M.getFactory(); }
    public void deserialize(ConsumerRecord<byte[], byte[]> rec, Collector<Tuple3<String, Integer, Double>> out) throws IOException {
      String zone = null, ts = null; double mw = Double.NaN;
      if (stream) {
        try (JsonParser p = f.createParser(rec.value())) {
          if (p.nextToken() != JsonToken.START_OBJECT) throw new IOException("not an object");
          for (String k; (k = p.nextFieldName()) != null; ) {
            p.nextToken();
            switch (k) { case "zone": zone = p.getText(); break; case "timestamp": ts = p.getText(); break; case "demand_mw": mw = p.getDoubleValue(); break; default: p.skipChildren(); }
          }
        }
      } else { Raw x = r.readValue(rec.value()); zone = x.zone; ts = x.timestamp; mw = x.demand_mw; }
      out.collect(Tuple3.of(zone, stream ? hour(ts) : (int) (OffsetDateTime.parse(ts).toEpochSecond() / 3600), mw));
    }
    transient String day; transient int base;
    /** the shape that all our readings have, 2021-06-01T00:00:00Z, with the last day kept; anything else goes the general way */
    int hour(String t) {
      if (t.length() == 20 && t.charAt(10) == 'T' && t.endsWith(":00:00Z") && t.charAt(11) >= '0' && t.charAt(11) <= '2' && t.charAt(12) >= '0' && t.charAt(12) <= '9') {
        int h = (t.charAt(11) - '0') * 10 + t.charAt(12) - '0';
        if (h < 24) {
          if (day == null || !t.startsWith(day)) { String d = t.substring(0, 10); base = (int) LocalDate.parse(d).toEpochDay() * 24; day = d; }
          return base + h;
        }
      }
      return (int) Math.floorDiv(OffsetDateTime.parse(t).toEpochSecond(), 3600L);
    }
    public TypeInformation<Tuple3<String, Integer, Double>> getProducedType() { return READING; }
  }
  static class Encode implements org.apache.flink.api.common.serialization.SerializationSchema<Prediction> {
    transient ObjectWriter w;
    public void open(InitializationContext c) { w = M.writerFor(Prediction.class); }
    public byte[] serialize(Prediction p) { try { return w.writeValueAsBytes(p); } catch (IOException e) { throw new UncheckedIOException(e); } }
  }
  /** one session per task; scores n windows held in a reused direct buffer */
  static class Model {
    final OrtEnvironment e = OrtEnvironment.getEnvironment(); final OrtSession s; final String name; final FloatBuffer in;
    Model(int max) {
      try { OrtSession.SessionOptions o = new OrtSession.SessionOptions(); o.setIntraOpNumThreads(1); o.setInterOpNumThreads(1); s = e.createSession(System.getenv("MODEL_PATH"), o); name = s.getInputNames().iterator().next(); }
      catch (OrtException x) { throw new RuntimeException(x); }
      in = ByteBuffer.allocateDirect(max * 24 * 4).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }
    void add(double[] v) { for (int i = 0; i < 24; i++) in.put((float) v[i]); }
    float[] score(int n) {
      in.flip();
      try (OnnxTensor t = OnnxTensor.createTensor(e, in, new long[]{n, 1, 24}); OrtSession.Result r = s.run(Map.of(name, t))) {
        float[] y = new float[n]; ((OnnxTensor) r.get(0)).getFloatBuffer().get(y); in.clear(); return y;
      } catch (OrtException x) { throw new RuntimeException(x); }
    }
  }
  static Prediction prediction(String zone, int day, double[] w, double logit) {
    Prediction p = new Prediction(); LocalDate d = LocalDate.ofEpochDay(day); p.zone = zone; p.window_start = d + "T00:00:00Z"; p.window_end = d + "T23:00:00Z";
    p.logit = Math.rint(logit * R6) / R6; p.score = Math.rint(R6 / (1 + Math.exp(-logit))) / R6;
    double s = 0, mx = w[0]; for (int i = 0; i < 24; i++) { s += w[i]; if (w[i] > mx) mx = w[i]; }
    p.mean_mw = Math.rint(s / 24 * 10) / 10; p.max_mw = mx; p.produced_at_ms = System.currentTimeMillis(); return p;
  }
  /** state: per zone, day -> 24 values (NaN: not yet) and, in [24], how many are there */
  static class Windows<T> extends KeyedProcessFunction<String, Tuple3<String, Integer, Double>, T> {
    final boolean each; transient MapState<Integer, double[]> open; transient Model m;
    Windows(boolean e) { each = e; }
    public void open(OpenContext c) {
      open = getRuntimeContext().getMapState(new MapStateDescriptor<>("windows", Types.INT, PrimitiveArrayTypeInfo.DOUBLE_PRIMITIVE_ARRAY_TYPE_INFO));
      if (each) m = new Model(1);
    }
    @SuppressWarnings("unchecked")
    public void processElement(Tuple3<String, Integer, Double> r, Context c, Collector<T> out) throws Exception {
      int day = Math.floorDiv(r.f1, 24), hour = Math.floorMod(r.f1, 24);
      double[] w = open.get(day);
      if (w == null) { w = new double[25]; Arrays.fill(w, 0, 24, Double.NaN); }
      if (Double.isNaN(w[hour])) w[24]++;
      w[hour] = r.f2;
      if (w[24] < 24) { open.put(day, w); return; }
      open.remove(day);
      if (each) { m.add(w); out.collect((T) prediction(r.f0, day, w, m.score(1)[0])); }
      else out.collect((T) Tuple3.of(r.f0, day, w));
    }
  }
  /** gathers finished windows and scores them together; flushed before each checkpoint barrier, so nothing is held across a checkpoint */
  static class BatchScore extends AbstractStreamOperator<Prediction> implements OneInputStreamOperator<Tuple3<String, Integer, double[]>, Prediction> {
    final int max, ms; transient Model m; transient List<Tuple3<String, Integer, double[]>> b; transient boolean timer; transient StreamRecord<Prediction> rec;
    BatchScore(int max, int ms) { this.max = max; this.ms = ms; }
    public void open() throws Exception { super.open(); m = new Model(max); b = new ArrayList<>(max); rec = new StreamRecord<>(null); }
    public void processElement(StreamRecord<Tuple3<String, Integer, double[]>> e) {
      b.add(e.getValue());
      if (b.size() >= max) flush();
      else if (!timer) { timer = true; getProcessingTimeService().registerTimer(getProcessingTimeService().getCurrentProcessingTime() + ms, t -> { timer = false; flush(); }); }
    }
    void flush() {
      int n = b.size(); if (n == 0) return;
      for (Tuple3<String, Integer, double[]> w : b) m.add(w.f2);
      float[] y = m.score(n);
      for (int i = 0; i < n; i++) output.collect(rec.replace(prediction(b.get(i).f0, b.get(i).f1, b.get(i).f2, y[i])));
      b.clear();
    }
    public void prepareSnapshotPreBarrier(long id) { flush(); }
    public void finish() { flush(); }
  }

  public static void main(String[] a) throws Exception {
    String group = System.getenv("CONSUMER_GROUP"), out = System.getenv("PREDICTIONS_TOPIC"); int par = Integer.parseInt(a[0]); long ckpt = Long.parseLong(a[1]); boolean each = a[2].equals("each");
    Configuration c = new Configuration();
    c.setString("execution.checkpointing.interval", ckpt + " ms");
    c.setString("execution.checkpointing.mode", "EXACTLY_ONCE");
    c.setString("execution.checkpointing.min-pause", "0 ms");
    c.setString("execution.checkpointing.unaligned.enabled", env("UNALIGNED", "false"));
    c.setString("execution.checkpointing.storage", "filesystem");
    c.setString("execution.checkpointing.dir", "file://" + new File(System.getenv("WORK_FOLDER"), "flink-checkpoints").getAbsolutePath());
    c.setString("heartbeat.timeout", "600000 ms"); // it is made to stand still (SIGSTOP) while others are measured
    c.setString("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
    c.setString("state.backend.type", "hashmap");
    c.setString("pipeline.object-reuse", "true");
    c.setString("pipeline.generic-types", "false");
    c.setString("execution.buffer-timeout.interval", env("BUFTO", "100") + " ms");
    c.setString("taskmanager.network.memory.buffer-debloat.enabled", env("DEBLOAT", "false"));
    if (System.getenv("RESTORE") != null) c.setString("execution.state-recovery.path", "file://" + new File(System.getenv("RESTORE")).getAbsolutePath());
    LocalStreamEnvironment e = StreamExecutionEnvironment.createLocalEnvironment(par, c);
    String boot = System.getenv("KAFKA_BOOTSTRAP_SERVERS");
    KafkaSource<Tuple3<String, Integer, Double>> src = KafkaSource.<Tuple3<String, Integer, Double>>builder().setBootstrapServers(boot).setGroupId(group).setTopics(System.getenv("READINGS_TOPIC"))
      .setStartingOffsets(OffsetsInitializer.committedOffsets(OffsetResetStrategy.EARLIEST))
      .setDeserializer(new Decode(env("DECODE", "databind").equals("stream")))
      .setProperty("isolation.level", "read_committed").setProperty("commit.offsets.on.checkpoint", "true").setProperty("max.poll.records", env("MAXPOLL", "2000")).build();
    KafkaSink<Prediction> sink = KafkaSink.<Prediction>builder().setBootstrapServers(boot).setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE).setTransactionalIdPrefix(group)
      .setTransactionNamingStrategy(TransactionNamingStrategy.valueOf(env("NAMING", "INCREMENTING")))
      .setRecordSerializer(KafkaRecordSerializationSchema.<Prediction>builder().setTopic(out).setKeySerializationSchema((Prediction x) -> x.zone.getBytes(StandardCharsets.UTF_8)).setValueSerializationSchema(new Encode()).build())
      .setProperty("transaction.timeout.ms", "600000").setProperty("linger.ms", env("LINGER", "5")).setProperty("batch.size", "65536").build();
    SingleOutputStreamOperator<Tuple3<String, Integer, Double>> in = e.fromSource(src, WatermarkStrategy.noWatermarks(), "readings").uid("readings");
    KeyedStream<Tuple3<String, Integer, Double>, String> k = env("KEYED", "keyby").equals("reinterpret") ? DataStreamUtils.reinterpretAsKeyedStream(in, r -> r.f0, Types.STRING) : in.keyBy(r -> r.f0, Types.STRING);
    SingleOutputStreamOperator<Prediction> p;
    TypeInformation<Prediction> pt = TypeInformation.of(Prediction.class);
    if (each) p = k.process(new Windows<Prediction>(true), pt).uid("windows");
    else p = k.process(new Windows<Tuple3<String, Integer, double[]>>(false), WINDOW).uid("windows").transform("score", pt, new BatchScore(Integer.parseInt(env("BATCH", "256")), Integer.parseInt(env("BATCH_MS", "5")))).uid("score");
    p.sinkTo(sink).uid("predictions");
    // the last checkpoint's transactions are committed while its offsets are: let that end before the JVM goes
    Runtime.getRuntime().addShutdownHook(new Thread(() -> { try { Thread.sleep(1000); } catch (InterruptedException x) { } Runtime.getRuntime().halt(0); }));
    e.execute("bench");
  }
}
