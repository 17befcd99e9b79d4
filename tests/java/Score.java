import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Scores days in Java: `java -cp onnxruntime.jar Score.java MODEL.onnx < days`, a day a line, 24 numbers with commas.
 * Writes for each the probability of winter and the label.
 */
final class Score {
    public static void main(String[] arguments) throws Exception {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession session = environment.createSession(arguments[0], new OrtSession.SessionOptions())) {
            String said = session.getMetadata().getCustomMetadata().getOrDefault("season.threshold", "0.5");
            double threshold = Double.parseDouble(said);
            StringBuilder answer = new StringBuilder();
            for (float logit : logits(environment, session, days())) {
                double winter = sigmoid(logit);
                answer.append(winter).append(',').append(winter >= threshold ? "winter" : "summer").append('\n');
            }
            System.out.print(answer);
        }
    }

    /** The days as the model takes them: [batch, 1, 24]. */
    private static float[][][] days() throws IOException {
        List<float[][]> days = new ArrayList<>();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(System.in))) {
            for (String line; (line = lines.readLine()) != null; ) {
                String[] hours = line.split(",");
                float[] day = new float[hours.length];
                for (int hour = 0; hour < day.length; hour++) {
                    day[hour] = Float.parseFloat(hours[hour]);
                }
                days.add(new float[][] {day});
            }
        }
        return days.toArray(float[][][]::new);
    }

    /** The model's answers, one call for all days. */
    private static float[] logits(OrtEnvironment environment, OrtSession session, float[][][] days) throws Exception {
        String input = session.getInputNames().iterator().next();
        try (OnnxTensor load = OnnxTensor.createTensor(environment, days);
                OrtSession.Result result = session.run(Map.of(input, load))) {
            float[][] answers = (float[][]) result.get(0).getValue();
            float[] logits = new float[answers.length];
            for (int day = 0; day < logits.length; day++) {
                logits[day] = answers[day][0];
            }
            return logits;
        }
    }

    /** In 64 bits, of a 32-bit logit; exp of nothing but negative numbers, so that nothing overflows. */
    private static double sigmoid(double logit) {
        double small = Math.exp(-Math.abs(logit));
        return (logit >= 0 ? 1 : small) / (1 + small);
    }
}
